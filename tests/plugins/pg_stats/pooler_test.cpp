// Behind a connection pooler that refuses start-up options, or drops them silently, sessions are as harmless as without one.
#include <poll.h>
#include <rapidjson/document.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <pganalytics/testhost.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/postgres/connection.h"
#include "tests/plugins/alone.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using pganalytics::testing::PostgresServer;
using pganalytics::testing::TemporaryFolder;
using pganalytics::testing::with_defaults;
using std::chrono::seconds;

namespace {

sockaddr_un address_in(const std::string& folder, int port) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%d", folder.c_str(), port);
  return address;
}

// Passes one connection after the other on to a real server, and treats "options" in the start-up packet as a pooler would.
class Pooler {
 public:
  enum class Options { kRefused, kDropped };

  Pooler(const PostgresServer& server, Options options) : server_(server), options_(options) {
    const sockaddr_un address = address_in(folder_.path(), server.port());
    listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 8) != 0) {
      throw std::runtime_error("pooler: cannot listen");
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~Pooler() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  [[nodiscard]] const std::string& socket_dir() const { return folder_.path(); }
  [[nodiscard]] int meddled() const { return meddled_; }

 private:
  void serve() {
    for (int client = accept(listener_, nullptr, nullptr); client >= 0; client = accept(listener_, nullptr, nullptr)) {
      start(client);
      close(client);
    }
  }

  void start(int client) {
    char buffer[4096];
    const ssize_t length = read(client, buffer, sizeof buffer);  // libpq sends the start-up packet in one piece
    if (length < 8) return;
    std::string packet(buffer, static_cast<std::size_t>(length));
    const std::size_t key = packet.find(std::string("\0options\0", 9));
    if (key != std::string::npos) {
      ++meddled_;
      if (options_ == Options::kRefused) return refuse(client);
      const std::size_t end = packet.find('\0', key + 9);
      packet.erase(key + 1, end - key);
      packet[2] = static_cast<char>(packet.size() >> 8);
      packet[3] = static_cast<char>(packet.size());
    }
    pass_on(client, packet);
  }

  static void refuse(int client) {
    const std::string fields("SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0", 63);
    std::string answer("E\0\0\0", 4);
    answer += static_cast<char>(fields.size() + 4);
    answer += fields;
    static_cast<void>(!write(client, answer.data(), answer.size()));
  }

  void pass_on(int client, const std::string& packet) const {
    const int server = socket(AF_UNIX, SOCK_STREAM, 0);
    const sockaddr_un address = address_in(server_.socket_dir(), server_.port());
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        write(server, packet.data(), packet.size()) > 0) {
      while (pump(client, server)) continue;
    }
    close(server);
  }

  // Whatever either side says, to the other; false when one has hung up.
  static bool pump(int client, int server) {
    pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(ends, 2, -1) <= 0) return false;
    for (int from = 0; from < 2; ++from) {
      if (ends[from].revents == 0) continue;
      char buffer[65536];
      const ssize_t length = read(ends[from].fd, buffer, sizeof buffer);
      if (length <= 0) return false;
      for (ssize_t at = 0; at < length;) {
        const ssize_t written = write(ends[1 - from].fd, buffer + at, static_cast<std::size_t>(length - at));
        if (written <= 0) return false;
        at += written;
      }
    }
    return true;
  }

  const PostgresServer& server_;
  const Options options_;
  TemporaryFolder folder_;
  int listener_ = -1;
  std::atomic<int> meddled_{0};
  std::thread thread_;
};

rapidjson::Document collect_through(const Pooler& pooler, const PostgresServer& server) {
  pganalytics::testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(
      with_defaults("{\"conninfo\":\"host=" + pooler.socket_dir() + " port=" + std::to_string(server.port()) +
                    " user=postgres dbname=postgres\",\"connections_max\":1," +
                    "\"families\":{\"statements\":{\"enabled\":false},\"statement_info\":{\"enabled\":false}}}")));
  return pganalytics::testing::only_document(instance.collect({seconds(30), 0, PGA_REASON_SCHEDULE}));
}

}  // namespace

TEST_CASE("a pooler that refuses or drops start-up options gets each setting in a transaction of ours") {
  PostgresServer server;
  server.sql("postgres", "CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
  server.sql("postgres", "CREATE DATABASE locked");
  server.settle_statistics("postgres");
  const auto soon = postgres::deadline_in(seconds(60));
  auto holder = postgres::Connection::open(server.conninfo("locked"), {}, soon);
  REQUIRE(holder);
  REQUIRE(holder->execute("BEGIN; LOCK TABLE pg_catalog.pg_namespace", soon));

  for (const auto options : {Pooler::Options::kRefused, Pooler::Options::kDropped}) {
    const Pooler pooler(server, options);
    const rapidjson::Document document = collect_through(pooler, server);
    CHECK(pooler.meddled() >= 1);
    REQUIRE(document["databases"].Size() == 2);
    CHECK(document["databases"][0]["name"] == "postgres");  // the session's own comes first
    CHECK(document["databases"][0]["tables"]["rows"][0]["tuples_inserted"] == 1);
    // The other database's catalog is locked: without lock_timeout the run would stand still until its deadline.
    CHECK_FALSE(document["errors"].Empty());
    for (const auto& error : document["errors"].GetArray()) {
      INFO(error["message"].GetString());
      CHECK(error["database"] == "locked");
      CHECK(std::string(error["code"].GetString()) == "55P03");
    }
  }
}
