// The C++ example against servers that answer, that refuse, that are silent: a run is over before its deadline, always.
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/plugins/alone.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

namespace {

using namespace pganalytics;
using namespace pganalytics::testing;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kTimeout{1500};

std::string config(const std::string& conninfo, const std::string& connect_timeout = "5s") {
  return with_defaults(R"({"conninfo":")" + conninfo + R"(","connect_timeout":")" + connect_timeout + "\"}");
}

struct Measured {
  CollectResult result;
  milliseconds took;
};

Measured collect(Instance& instance, milliseconds timeout) {
  const auto begin = Clock::now();
  CollectOptions options;
  options.timeout = timeout;
  CollectResult result = instance.collect(options);
  return {std::move(result), std::chrono::duration_cast<milliseconds>(Clock::now() - begin)};
}

Instance example(FakeHost& host, const std::string& config_json) {
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(config_json));
  return instance;
}

// A port of the loopback that takes connections and says nothing; full = true: it does not even take them, as behind a firewall
// that drops what comes.
class SilentPort {
 public:
  explicit SilentPort(bool full) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, full ? 0 : 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    for (int i = 0; full && i < 4; ++i) {  // what finds no room in the backlog is dropped by the kernel
      const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      const int connected = ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
      REQUIRE((connected == 0 || errno == EINPROGRESS));
      fillers_.push_back(filler);
    }
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  [[nodiscard]] std::string conninfo() const { return "host=127.0.0.1 dbname=postgres port=" + std::to_string(port_); }

 private:
  int listener_;
  int port_ = 0;
  std::vector<int> fillers_;
};

TEST_CASE("schemas are in the dialect, and a bad conninfo is told without its password") {
  (void)output_schema();
  FakeHost host;
  Instance instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const Outcome refused = instance.configure(config("host=here password=hunter2 nonsense"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_CONFIG);
  CHECK(refused.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("sessions of a real server are counted, and not our own, which is one and kept") {
  auto& server = PostgresServer::shared();
  const std::unique_ptr<PGconn, decltype(&PQfinish)> somebody(PQconnectdb(server.conninfo().c_str()), &PQfinish);
  FakeHost host;
  Instance instance = example(host, config(server.conninfo()));
  for (int run = 0; run < 3; ++run) {
    const auto document = only_document(instance.collect());
    CHECK(document["server_version"].GetInt() > 90000);
    REQUIRE(document["connections"].Size() == 1);
    CHECK(document["connections"][0]["database"] == "postgres");
    CHECK(document["connections"][0]["state"] == "idle");
    CHECK(document["connections"][0]["sessions"] == 1);
  }
  CHECK(server.value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'example_connections'") == "1");
}

TEST_CASE("a server that went away is transient, and found again") {
  PostgresServer server;
  FakeHost host;
  Instance instance = example(host, config(server.conninfo()));
  (void)only_document(instance.collect());
  server.stop();
  CHECK(instance.collect().status == PGA_E_TRANSIENT);  // the connection broke
  CHECK(instance.collect().status == PGA_E_TRANSIENT);  // nobody there
  server.start();
  (void)only_document(instance.collect());
}

TEST_CASE("a port where nobody listens is transient, at once") {
  FakeHost host;
  Instance instance = example(host, config("host=127.0.0.1 port=1 dbname=postgres"));
  const Measured run = collect(instance, milliseconds(10'000));
  CHECK(run.result.status == PGA_E_TRANSIENT);
  CHECK(run.result.error_code == "pg.connect");
  CHECK(run.took < milliseconds(5'000));
}

TEST_CASE("a server that is silent is transient before the deadline") {
  const bool full = GENERATE(false, true);
  const SilentPort port(full);
  FakeHost host;
  Instance instance = example(host, config(port.conninfo() + (full ? " tcp_user_timeout=0" : "")));
  const Measured run = collect(instance, kTimeout);
  INFO(run.result.error_message);
  CHECK(run.result.status == PGA_E_TRANSIENT);
  CHECK(run.result.error_code == "pg.no_answer");
  CHECK(run.took < kTimeout);
}

TEST_CASE("connect_timeout ends a silent connect long before the deadline") {
  const SilentPort port(false);
  FakeHost host;
  Instance instance = example(host, config(port.conninfo(), "100ms"));
  const Measured run = collect(instance, milliseconds(20'000));
  CHECK(run.result.status == PGA_E_TRANSIENT);
  CHECK(run.took < milliseconds(10'000));
}

TEST_CASE("a cancel ends a silent connect at once") {
  const SilentPort port(false);
  FakeHost host;
  Instance instance = example(host, config(port.conninfo(), "30s"));
  std::thread other([&] { instance.cancel(); });
  const Measured run = collect(instance, milliseconds(30'000));
  other.join();
  CHECK(run.result.status == PGA_E_DEADLINE);
  CHECK(run.took < milliseconds(10'000));
}

// Holds a lock that the example's query waits for, and can still look: pg_locks reads no table.
class LockedCatalog {
 public:
  explicit LockedCatalog(const PostgresServer& server) : holder_(PQconnectdb(server.conninfo().c_str()), &PQfinish) {
    run("BEGIN; LOCK pg_catalog.pg_database IN ACCESS EXCLUSIVE MODE");
  }
  [[nodiscard]] bool somebody_waits() const { return run("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"; }

 private:
  std::string run(const char* sql) const {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(holder_.get(), sql), &PQclear);
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return "";
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(holder_.get()));
    return PQgetvalue(result.get(), 0, 0);
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> holder_;
};

TEST_CASE("a statement that waits is ended by the server before the deadline") {
  auto& server = PostgresServer::shared();
  FakeHost host;
  Instance instance = example(host, config(server.conninfo()));
  (void)only_document(instance.collect());
  const LockedCatalog locked(server);
  const Measured run = collect(instance, kTimeout);
  CHECK(run.result.status == PGA_E_DEADLINE);
  CHECK(run.result.error_code == "57014");
  CHECK(run.took < kTimeout);
  CHECK_FALSE(locked.somebody_waits());
}

TEST_CASE("a cancelled run ends its statement on the server") {
  auto& server = PostgresServer::shared();
  FakeHost host;
  Instance instance = example(host, config(server.conninfo()));
  (void)only_document(instance.collect());
  const LockedCatalog locked(server);
  std::thread other([&] {
    (void)eventually([&] { return locked.somebody_waits(); });
    instance.cancel();
  });
  const Measured run = collect(instance, milliseconds(60'000));
  other.join();
  CHECK(run.result.status == PGA_E_DEADLINE);
  CHECK(run.result.error_code == "pg.cancelled");
  CHECK(eventually([&] { return !locked.somebody_waits(); }));
}

TEST_CASE("a server that stops answering in the middle costs one run") {
  auto& server = PostgresServer::shared();
  FakeHost host;
  Instance instance = example(host, config(server.conninfo()));
  (void)only_document(instance.collect());
  const std::string backend =
      server.value("postgres", "SELECT pid FROM pg_stat_activity WHERE application_name = 'example_connections'");
  REQUIRE_FALSE(backend.empty());
  ::kill(std::stoi(backend), SIGSTOP);
  const Measured run = collect(instance, kTimeout);
  ::kill(std::stoi(backend), SIGCONT);
  CHECK(run.result.status == PGA_E_TRANSIENT);
  CHECK(run.result.error_code == "pg.no_answer");
  CHECK(run.took < kTimeout);
  CHECK(instance.collect().status == PGA_OK);
}

}  // namespace
