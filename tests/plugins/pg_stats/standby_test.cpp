// A standby is read as any server, and one that takes over from its primary is another server.
#include <rapidjson/document.h>

#include <set>
#include <string>

#include "tests/plugins/pg_stats/collected.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using rapidjson::Value;

namespace {

// A primary with a table, its standby, and the role that reads them.
struct Pair {
  Pair() {
    primary.sql("postgres", "CREATE EXTENSION pg_stat_statements; CREATE ROLE monitor LOGIN IN ROLE pg_monitor");
    primary.sql("postgres", "CREATE TABLE counted (i int); INSERT INTO counted SELECT generate_series(1, 100)");
    primary.sql("postgres", "CREATE DATABASE other");
    const std::string at = primary.value("postgres", "SELECT pg_current_wal_lsn()");
    REQUIRE(eventually([&] {
      return standby.value("postgres", "SELECT pg_last_wal_replay_lsn() >= '" + at +
                                           "' AND status = 'streaming' FROM pg_stat_wal_receiver") == "t";
    }));
  }
  void promote() {
    primary.stop();
    standby.sql("postgres", "SELECT pg_promote()");
    standby.sql("postgres", "CHECKPOINT");  // with it pg_control has the new timeline
  }

  PostgresServer primary{{{"shared_preload_libraries", "pg_stat_statements"}}};
  PostgresServer standby{PostgresServer::StandbyOf{primary}};
};

std::string config_of(const std::string& conninfo) { return with_defaults("{\"conninfo\":\"" + conninfo + "\"}"); }

}  // namespace

TEST_CASE("a standby has all families and no errors; once promoted it is a server of which nothing was known") {
  Pair pair;
  FakeHost host;
  Instance instance = configured(host, config_of(pair.standby.conninfo("postgres", "monitor")));
  for (int i = 0; i < 2; ++i) {
    const Collected collected = collect(instance);
    CHECK(is_without_errors(collected));
    const rapidjson::Document& document = collected.documents.front();
    CHECK(document["server"]["in_recovery"].GetBool());
    CHECK(document["server"]["timeline"] == 1);
    CHECK(document["recovery"]["receiver_status"] == "streaming");
    CHECK(document["recovery"]["replay_lag_bytes"].IsInt64());
    CHECK(document["wal"].IsObject());
    if (i == 0) CHECK(tables_of(collected, "postgres") == std::set<std::string>{"counted"});
  }
  pair.promote();
  const Collected after = collect(instance);
  CHECK(is_without_errors(after));
  const rapidjson::Document& document = after.documents.front();
  CHECK_FALSE(document["server"]["in_recovery"].GetBool());
  CHECK(document["server"]["timeline"] == 2);
  CHECK_FALSE(document.HasMember("recovery"));
  const Value& tables = database(document, "postgres")["tables"];
  CHECK(tables["snapshot"] == "full");
  CHECK(tables["since"].IsNull());
  CHECK_FALSE((*named(tables["rows"], "counted")).HasMember("growth"));
}

TEST_CASE("of two hosts the one is read that target_session_attrs means, before and after a failover") {
  Pair pair;
  const auto config_of_hosts = [](const PostgresServer& first, const PostgresServer& second, const std::string& attrs) {
    return config_of("host=" + first.socket_dir() + "," + second.socket_dir() + " port=" + std::to_string(first.port()) + "," +
                     std::to_string(second.port()) + " user=monitor dbname=postgres target_session_attrs=" + attrs);
  };
  FakeHost host;
  const Collected of_standby = collect(host, config_of_hosts(pair.primary, pair.standby, "read-only"));
  REQUIRE(is_without_errors(of_standby));
  CHECK(of_standby.documents.front()["server"]["in_recovery"].GetBool());

  Instance instance = configured(host, config_of_hosts(pair.standby, pair.primary, "read-write"));
  const Collected before = collect(instance);
  REQUIRE(is_without_errors(before));
  CHECK_FALSE(before.documents.front()["server"]["in_recovery"].GetBool());
  CHECK(before.documents.front()["replication"]["rows"].Size() == 1);
  pair.promote();
  const Collected after = collect(instance);
  REQUIRE(is_without_errors(after));
  const rapidjson::Document& document = after.documents.front();
  CHECK_FALSE(document["server"]["in_recovery"].GetBool());
  CHECK(document["server"]["timeline"] == 2);
  CHECK(database(document, "postgres")["tables"]["snapshot"] == "full");
  CHECK_FALSE((*named(database(document, "postgres")["tables"]["rows"], "counted")).HasMember("growth"));
}
