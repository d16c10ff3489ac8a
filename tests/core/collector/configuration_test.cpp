// What becomes of the server's documents: real workers, a real spool, and a server that says what the test says.
#include "core/collector/configuration.h"

#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <sqlite3.h>
#include <chrono>

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;
using testing::must;

namespace {

using Plugins = std::vector<std::string>;
const Plugins kBoth = {"logs", "test_counter"};
constexpr const char* kBackend = "[backend]\nurl = \"https://127.0.0.1:1\"\n";
constexpr const char* kCounter = "[plugins.test_counter]\ninterval = \"1s\"\n";
constexpr const char* kBroken =
    "[plugins.logs]\ninterval = \"1s\"\ndo = \"refuse the run\"\n[plugins.test_counter]\ninterval = \"1s\"\n";
constexpr const char* kGzip = R"({"version":2,"compression":"gzip"})";

std::string intervals(int version, const char* plugin, int seconds) {
  return R"({"version":)" + std::to_string(version) + R"(,"intervals":{")" + plugin + "\":" + std::to_string(seconds) + "}}";
}

const Catalogue& catalogue_of(const Plugins& plugins) {
  static std::map<Plugins, Catalogue> known;
  if (const auto found = known.find(plugins); found != known.end()) return found->second;
  std::vector<host::Candidate> candidates;
  for (const std::string& plugin : plugins) candidates.push_back(host::examine_plugin(TEST_PLUGIN_DIR "/" + plugin + ".so"));
  return known.emplace(plugins, Catalogue::of(std::move(candidates), WORKER_PATH)).first->second;
}

// What a collector is, without its command line, files and network.
class Host : public host::RunSink {
 public:
  Host(const std::string& folder, const std::string& local, const Plugins& plugins = kBoth, const std::string& id = "us")
      : folder_(folder), id_(id) {
    spool::SpoolOptions options;
    options.keep_free_bytes = 0;
    options.pace.retry_ms = 50;
    options.pace.pause_ms = 1;
    spool_ = must(spool::Spool::open(folder_, options));
    host::SupervisorOptions workers;
    workers.worker_path = WORKER_PATH;
    workers.grace_ms = 200;
    supervisor_ = std::make_unique<host::Supervisor>(workers, *this, clock::system_clock());
    configuration_ = std::make_unique<Configuration>(*supervisor_, *spool_, [this](const transport::ConfigReport& report) {
      said = std::to_string(report.version) + " " + report.state;
      reason = report.reason;
    });
    must(configuration_->begin(config(local), catalogue_of(plugins), id_));
  }
  void stop() {
    configuration_->end();
    supervisor_->stop(5'000);
  }
  void reload(const std::string& local, const Plugins& plugins = kBoth) {
    must(configuration_->replace_local(config(local), catalogue_of(plugins), id_));
  }

  void give(const std::string& body) { configuration_->offer({body, ""}); }
  // Turns until the server is told that.
  bool hears(const std::string& what) {
    return turns_until([&] { return said == what; });
  }
  // A document that has proven itself.
  void proves(int version, const std::string& body) {
    give(body);
    if (!hears(std::to_string(version) + " applied")) throw std::runtime_error(said + " " + reason);
  }
  bool turns_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      turn();
    }
    return true;
  }
  void turn() {
    supervisor_->turn(std::min<std::int64_t>(configuration_->wait_ms(), 20));
    configuration_->turn(delivery());
  }
  [[nodiscard]] std::uint64_t in_force() const { return configuration_->in_force().remote_version; }
  [[nodiscard]] bool on_trial() const { return configuration_->on_trial(); }
  [[nodiscard]] std::int64_t interval_ms(const std::string& plugin) const {
    return configuration_->in_force().plugins.at(plugin).interval_ms.value_or(0);
  }
  [[nodiscard]] std::string spool_mode() const { return must(spool_->status()).mode; }
  [[nodiscard]] bool failed_a_run(const std::string& plugin) const {
    for (const auto& each : supervisor_->health()) {
      if (each.plugin == plugin && each.failed_runs > 0) return true;
    }
    return false;
  }

  enum class Server { kTakes, kRefuses, kIsAway } server = Server::kTakes;
  std::string said, reason;  // the newest report

  Outcome run_finished(host::RunReport&& report) override {
    configuration_->run_ended(report);
    if (report.failed) return {};
    spool::SealedRun run;
    run.plugin = report.plugin;
    run.documents = std::move(report.documents);
    PGA_TRY(const std::uint64_t seq, spool_->seal(std::move(run)));
    PGA_TRY(const spool::SpoolStatus status, spool_->status());
    sealed_ = {status.epoch, seq, ""};
    if (seq != 0) configuration_->batch_sealed(sealed_);
    return {};
  }
  Expected<std::map<std::string, std::string>> state_of(const std::string&) override {
    return std::map<std::string, std::string>();
  }
  Expected<std::optional<std::string>> secret(const std::string&, const std::string&) override {
    return std::optional<std::string>();
  }
  std::map<std::string, std::string> facts() override { return {}; }

 private:
  [[nodiscard]] config::CollectorConfig config(const std::string& local) const {
    return must(config::load_text(
        "[collector]\nname = \"db1\"\nconfig_probation = \"1s\"\nstate_dir = \"" + folder_ + "\"\n" + local, "c.toml"));
  }
  [[nodiscard]] transport::DeliveryStatus delivery() const {
    transport::DeliveryStatus status;
    if (server == Server::kTakes) status.newest_acknowledged = sealed_;
    if (server == Server::kRefuses) {
      status.newest_refused = sealed_;
      status.refused_reason = "not packed like this";
    }
    return status;
  }

  const std::string folder_, id_;
  spool::BatchKey sealed_;
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<host::Supervisor> supervisor_;
  std::unique_ptr<Configuration> configuration_;
};

// Keeps everybody else from writing into the spool's file, as a full disk does; it can be read.
class FullDisk {
 public:
  explicit FullDisk(const std::string& folder) {
    if (sqlite3_open((folder + "/spool.db").c_str(), &file_) != SQLITE_OK ||
        sqlite3_exec(file_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(file_));
  }
  ~FullDisk() { sqlite3_close(file_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  sqlite3* file_ = nullptr;
};

const std::string kLocal = std::string(kBackend) + kCounter;

}  // namespace

TEST_CASE("a document that has proven itself holds from the next start, for the same identity") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    CHECK(host.interval_ms("test_counter") == 2'000);
    host.stop();
  }
  {
    const Host again(folder.path(), kLocal);
    CHECK(again.in_force() == 1);
    CHECK_FALSE(again.on_trial());
  }
  const Host other(folder.path(), kLocal, kBoth, "somebody else");
  CHECK(other.in_force() == 0);
}

TEST_CASE("the server's configuration comes back with [backend], which a reload took away") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.reload(kCounter);
    CHECK(host.in_force() == 0);
    host.reload(kLocal);
    CHECK(host.in_force() == 1);
    CHECK(host.interval_ms("test_counter") == 2'000);
    host.stop();
  }
  Host started_without(folder.path(), kCounter);
  CHECK(started_without.in_force() == 0);
  started_without.reload(kLocal);
  CHECK(started_without.in_force() == 1);
}

TEST_CASE("so does what was on trial, and nobody is to blame") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "test_counter", 2));
  REQUIRE(host.hears("1 probation"));
  for (int round = 0; round < 3; ++round) {
    host.reload(kCounter);
    CHECK_FALSE(host.on_trial());
    CHECK(host.in_force() == 0);
    host.reload(kLocal);
    CHECK(host.on_trial());
    CHECK(host.in_force() == 1);
  }
  host.server = Host::Server::kTakes;
  CHECK(host.hears("1 applied"));
}

TEST_CASE("a reload during a trial keeps the document, under the new file, and its trial begins anew") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "test_counter", 2));
  REQUIRE(host.hears("1 probation"));
  host.reload(kLocal + "[plugins.logs]\ninterval = \"1s\"\n");
  CHECK(host.on_trial());
  CHECK(host.in_force() == 1);
  CHECK(host.interval_ms("logs") == 1'000);
  CHECK(host.interval_ms("test_counter") == 2'000);
  host.server = Host::Server::kTakes;
  CHECK(host.hears("1 applied"));
}

TEST_CASE("a reload while plugins are asked about a document costs neither the file nor the document's verdict") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), std::string(kBackend) + "[plugins.logs]\ninterval = \"1s\"\ndo = \"hang in the dry run\"\n");
  REQUIRE(host.turns_until([&] { return host.failed_a_run("logs") || host.interval_ms("logs") == 1'000; }));
  host.give(R"({"version":1,"log_filters":["ERROR"]})");
  host.turn();
  CHECK(host.in_force() == 0);
  host.reload(std::string(kBackend) + "[plugins.logs]\ninterval = \"2s\"\ndo = \"nothing\"\n");
  CHECK(host.interval_ms("logs") == 2'000);
  REQUIRE(host.turns_until([&] { return !host.said.empty(); }));
  CHECK(host.interval_ms("logs") == 2'000);
}

TEST_CASE("the operator's file comes before a document in force that does not fit it any more") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.proves(1, intervals(1, "test_counter", 2));
  host.proves(2, intervals(2, "logs", 2));
  host.reload(kLocal, {"test_counter"});  // logs is not installed any more
  CHECK(host.in_force() == 1);
  CHECK(host.said == "2 reverted");
  CHECK_THAT(host.reason, Contains("does not fit") && Contains("no plugin 'logs'"));
  host.reload(std::string(kBackend) + "[plugins.logs]\n", {"logs"});
  CHECK(host.in_force() == 2);
  CHECK(host.said == "2 applied");
}

TEST_CASE("a start goes past a good document that does not fit, and says so") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.proves(2, intervals(2, "logs", 2));
    host.stop();
  }
  const Host host(folder.path(), kLocal, {"test_counter"});
  CHECK(host.in_force() == 1);
  CHECK(host.said == "2 reverted");
}

TEST_CASE("a document on trial that a reload makes impossible is taken back") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "logs", 2));
  REQUIRE(host.hears("1 probation"));
  host.reload(kLocal, {"test_counter"});
  CHECK(host.in_force() == 0);
  CHECK_FALSE(host.on_trial());
  CHECK(host.said == "1 reverted");
}

TEST_CASE("a server that refuses what only the document on trial asks for is noticed") {
  const testing::TemporaryFolder folder;
  auto host = std::make_unique<Host>(folder.path(), kLocal);
  host->server = Host::Server::kIsAway;
  host->give(kGzip);
  REQUIRE(host->hears("2 probation"));
  SECTION("at once") {}
  SECTION("after a reload") { host->reload(kLocal + "[plugins.logs]\n"); }
  SECTION("after a restart") {
    host->stop();
    host = nullptr;
    host = std::make_unique<Host>(folder.path(), kLocal);
    REQUIRE(host->on_trial());
  }
  SECTION("when the next version keeps it") {
    host->give(R"({"version":3,"compression":"gzip","intervals":{"test_counter":2}})");
    REQUIRE(host->hears("3 probation"));
  }
  host->server = Host::Server::kRefuses;
  REQUIRE(host->turns_until([&] { return host->said.find("reverted") != std::string::npos; }));
  CHECK_THAT(host->reason, Contains("not packed like this"));
}

TEST_CASE("a plugin that did not work before is not held against a document") {
  const testing::TemporaryFolder folder;
  const std::string local = std::string(kBackend) + kBroken;
  auto host = std::make_unique<Host>(folder.path(), local);
  REQUIRE(host->turns_until([&] { return host->failed_a_run("logs"); }));
  host->server = Host::Server::kIsAway;
  host->give(R"({"version":1,"intervals":{"logs":2,"test_counter":2}})");
  REQUIRE(host->hears("1 probation"));
  SECTION("at once") {}
  SECTION("after a reload") { host->reload(local + "tables_max = 3\n"); }
  SECTION("after a restart") {
    host->stop();
    host = nullptr;
    host = std::make_unique<Host>(folder.path(), local);
  }
  host->server = Host::Server::kTakes;
  REQUIRE(host->turns_until([&] { return host->said != "1 probation" && !host->said.empty(); }));
  CHECK(host->said == "1 applied");
  CHECK(host->reason.empty());
}

TEST_CASE("no trial begins before the disk has a note of it") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.proves(1, intervals(1, "test_counter", 2));
  {
    const FullDisk full(folder.path());
    host.give(intervals(2, "test_counter", 3));
    REQUIRE(host.turns_until([&] { return host.spool_mode() == "memory"; }));
    host.give(intervals(3, "test_counter", 4));  // the newest of those that wait
    for (int turn = 0; turn < 50; ++turn) host.turn();
    CHECK(host.in_force() == 1);
    CHECK_FALSE(host.on_trial());
    CHECK(host.said == "1 applied");
  }
  CHECK(host.hears("3 applied"));
}

TEST_CASE("a collector that died under a document does not try it again while the disk cannot count the deaths") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.server = Host::Server::kIsAway;
    host.give(intervals(2, "test_counter", 3));
    REQUIRE(host.hears("2 probation"));
  }  // not stopped in order
  {
    const FullDisk full(folder.path());
    for (int start = 0; start < 2; ++start) {
      Host host(folder.path(), kLocal);
      for (int turn = 0; turn < 20; ++turn) host.turn();
      CHECK(host.in_force() == 1);
      CHECK_FALSE(host.on_trial());
    }
  }
  Host host(folder.path(), kLocal);
  CHECK(host.in_force() == 2);
  CHECK(host.hears("2 applied"));
}
