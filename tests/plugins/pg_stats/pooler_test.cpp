// Behind a connection pooler that refuses start-up options, or drops them silently, sessions are as harmless as without one.
#include <rapidjson/document.h>

#include <atomic>
#include <optional>
#include <string>

#include "core/postgres/connection.h"
#include "tests/plugins/pg_stats/collected.h"
#include "tests/plugins/pg_stats/proxy.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using std::chrono::seconds;

namespace {

// What a pooler does to the start-up packet's "options".
class Pooler {
 public:
  enum class Options { kRefused, kDropped };

  Pooler(const PostgresServer& server, Options options)
      : options_(options), proxy_(server, [this](std::string& packet) { return meddle(packet); }) {}

  [[nodiscard]] std::string conninfo() const { return proxy_.conninfo(); }
  [[nodiscard]] int meddled() const { return meddled_; }

 private:
  std::optional<std::string> meddle(std::string& packet) {
    const std::size_t key = packet.find(std::string("\0options\0", 9));
    if (key == std::string::npos) return std::nullopt;
    ++meddled_;
    if (options_ == Options::kRefused) return refusal();
    const std::size_t end = packet.find('\0', key + 9);
    packet.erase(key + 1, end - key);
    packet[2] = static_cast<char>(packet.size() >> 8);
    packet[3] = static_cast<char>(packet.size());
    return std::nullopt;
  }

  static std::string refusal() {
    const std::string fields("SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0", 63);
    std::string answer("E\0\0\0", 4);
    answer += static_cast<char>(fields.size() + 4);
    answer += fields;
    return answer;
  }

  const Options options_;
  std::atomic<int> meddled_{0};
  Proxy proxy_;
};

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
    const rapidjson::Document document =
        collect_one(with_defaults("{\"conninfo\":\"" + pooler.conninfo() + "\",\"connections_max\":1," + kNoStatements + "}"));
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

TEST_CASE("behind such a pooler, bytes that are no text come as they do without it") {
  const PostgresServer server;
  server.sql("postgres", "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  server.sql("bytes", "CREATE TABLE \"\xff\" (i int)");
  for (const auto options : {Pooler::Options::kRefused, Pooler::Options::kDropped}) {
    const Pooler pooler(server, options);
    const rapidjson::Document document =
        collect_one(with_defaults("{\"conninfo\":\"" + pooler.conninfo() + "\",\"connections_max\":1," + kNoStatements + "}"));
    CHECK(document["errors"].Empty());
    CHECK(named(database(document, "bytes")["tables"]["rows"], "\ufffd") != nullptr);
  }
}
