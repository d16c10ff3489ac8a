// What a run owes to the ones before it: only what changed, growth since, texts once, intervals, and no memory of another server.
#include <pganalytics/plugin.h>
#include <rapidjson/document.h>

#include <optional>
#include <pganalytics/testhost.hpp>
#include <set>
#include <thread>

#include "core/postgres/connection.h"
#include "tests/plugins/alone.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using pganalytics::testing::eventually;
using pganalytics::testing::FakeHost;
using pganalytics::testing::PostgresServer;
using pganalytics::testing::with_defaults;
using rapidjson::Value;
using std::chrono::seconds;

namespace {

// One server with the extension, and one plugin instance that lives through several runs.
class Site {
 public:
  explicit Site(const std::string& more = "")
      : server(PostgresServer::Settings{{"shared_preload_libraries", "pg_stat_statements"}}) {
    server.sql("postgres",
               "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE EXTENSION pg_stat_statements; CREATE TABLE t (i int);"
               "CREATE TABLE still (i int); INSERT INTO still VALUES (1)");
    instance.emplace(host.create(pga_plugin_v1(PGA_ABI_MINOR)));
    REQUIRE(instance->configure(with_defaults("{\"conninfo\":\"" + server.conninfo("postgres", "monitor") + "\"" + more + "}")));
  }

  rapidjson::Document collect(std::uint32_t reason = PGA_REASON_ONDEMAND) {
    return pganalytics::testing::only_document(instance->collect({seconds(30), 0, reason}));
  }
  // As the statistics say it, once they have settled.
  void insert(int rows) {
    const std::string count = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 't'";
    const int before = std::stoi(server.value("postgres", count));
    server.sql("postgres", "INSERT INTO t SELECT generate_series(1, " + std::to_string(rows) + ")");
    REQUIRE(eventually([&] { return server.value("postgres", count) == std::to_string(before + rows); }));
  }

  PostgresServer server;
  FakeHost host;
  std::optional<pganalytics::testing::Instance> instance;
};

const Value& entry(const rapidjson::Document& document) {
  for (const Value& database : document["databases"].GetArray()) {
    if (database["name"] == "postgres") return database;
  }
  throw std::runtime_error("no entry of postgres");
}

const Value* row_of(const Value& object, const char* family, const char* member, const std::string& value) {
  if (!object.HasMember(family)) return nullptr;
  for (const Value& row : object[family]["rows"].GetArray()) {
    if (row.HasMember(member) && row[member].GetString() == value) return &row;
  }
  return nullptr;
}

bool has_errors(const rapidjson::Document& document) {
  for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
  return !document["errors"].Empty();
}

}  // namespace

TEST_CASE("between full snapshots only what changed is sent, with its growth") {
  Site site;
  site.insert(10);
  const auto first = site.collect();
  CHECK_FALSE(has_errors(first));
  CHECK_FALSE(first.HasMember("progress"));  // of our own reading
  REQUIRE(row_of(entry(first), "tables", "name", "t") != nullptr);
  REQUIRE(row_of(entry(first), "tables", "name", "still") != nullptr);
  CHECK(entry(first)["tables"]["since"].IsNull());

  site.insert(7);
  const auto second = site.collect();
  CHECK_FALSE(has_errors(second));
  const Value& tables = entry(second)["tables"];
  CHECK(tables["snapshot"] == "changed");
  CHECK(tables["total"] == 2);
  CHECK(tables["since"] == entry(first)["tables"]["timestamp"]);
  CHECK(row_of(entry(second), "tables", "name", "still") == nullptr);
  const Value* const t = row_of(entry(second), "tables", "name", "t");
  REQUIRE(t != nullptr);
  CHECK((*t)["tuples_inserted"] == 17);
  CHECK((*t)["growth"]["tuples_inserted"] == 7);
  CHECK_FALSE((*t)["growth"].HasMember("tuples_deleted"));  // what has not grown is not told
  CHECK(entry(second)["database"]["growth"]["tup_inserted"].GetInt() >= 7);
}

TEST_CASE("what a lost run has sent comes again") {
  Site site;
  site.collect();
  site.insert(5);
  pganalytics::testing::CollectOptions lost{seconds(30), 0, PGA_REASON_ONDEMAND};
  lost.commit = false;  // the host died, or could not keep it
  REQUIRE(site.instance->collect(lost).status == PGA_OK);
  const auto next = site.collect();
  CHECK(entry(next)["tables"]["snapshot"] == "full");
  const Value* const t = row_of(entry(next), "tables", "name", "t");
  REQUIRE(t != nullptr);
  CHECK((*t)["tuples_inserted"] == 5);
  CHECK(row_of(entry(next), "tables", "name", "still") != nullptr);
  CHECK(next["statement_texts"]["rows"].Size() > 0);
  site.insert(1);
  CHECK(entry(site.collect())["tables"]["snapshot"] == "changed");
}

TEST_CASE("a reset of the statistics is no negative growth") {
  Site site;
  site.insert(100);
  const auto before = site.collect();
  site.server.sql("postgres", "SELECT pg_stat_reset()");
  REQUIRE(eventually(
      [&] { return site.server.value("postgres", "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 't'") == "0"; }));
  site.insert(3);
  const auto after = site.collect();
  const Value* const t = row_of(entry(after), "tables", "name", "t");
  REQUIRE(t != nullptr);
  CHECK((*t)["tuples_inserted"] == 3);
  CHECK((*t)["growth"]["tuples_inserted"] == 3);
  REQUIRE(entry(after)["tables"]["stats_reset"].IsString());
  CHECK(entry(after)["tables"]["stats_reset"] != entry(before)["tables"]["stats_reset"]);
}

TEST_CASE("statements come with their counters, and the text of each once") {
  Site site;
  site.server.sql("postgres", "SELECT count(*) FROM still WHERE i = 1");
  const auto first = site.collect();
  CHECK_FALSE(has_errors(first));
  const Value* const text = row_of(first, "statement_texts", "text", "SELECT count(*) FROM still WHERE i = $1");
  REQUIRE(text != nullptr);
  const std::string id = (*text)["query_id"].GetString();
  const Value* const statement = row_of(first, "statements", "query_id", id);
  REQUIRE(statement != nullptr);
  CHECK((*statement)["calls"] == 1);
  CHECK((*statement)["database"] == "postgres");
  CHECK((*statement)["user"] == "postgres");
  CHECK(row_of(first, "statements", "user", "monitor") == nullptr);  // our own would change in every reading

  for (int i = 0; i < 3; ++i) site.server.sql("postgres", "SELECT count(*) FROM still WHERE i = " + std::to_string(i));
  const auto second = site.collect();
  const Value* const again = row_of(second, "statements", "query_id", id);
  REQUIRE(again != nullptr);
  CHECK((*again)["calls"] == 4);
  CHECK((*again)["growth"]["calls"] == 3);
  CHECK(row_of(second, "statement_texts", "query_id", id) == nullptr);
}

TEST_CASE("a statement that was evicted and comes back is a new one: no growth, and its text again") {
  Site site;
  const std::string text = "SELECT count(*) FROM still WHERE i = $1";
  const auto execute = [&] { site.server.sql("postgres", "SELECT count(*) FROM still WHERE i = 1"); };
  execute();
  CHECK(row_of(site.collect(), "statement_texts", "text", text) != nullptr);
  site.server.sql("postgres", "SELECT pg_stat_statements_reset()");
  site.collect();  // it is gone
  execute();
  const auto back = site.collect();
  const Value* const again = row_of(back, "statement_texts", "text", text);
  REQUIRE(again != nullptr);
  const Value* const statement = row_of(back, "statements", "query_id", (*again)["query_id"].GetString());
  REQUIRE(statement != nullptr);
  CHECK((*statement)["calls"] == 1);
  CHECK_FALSE(statement->HasMember("growth"));
}

TEST_CASE("texts have an interval of their own: what is new meanwhile waits for it") {
  Site site(R"(,"families":{"statements":{"interval":"1s"},"statement_texts":{"interval":"1h"}})");
  CHECK(site.collect(PGA_REASON_SCHEDULE).HasMember("statement_texts"));
  site.server.sql("postgres", "SELECT count(*) FROM still WHERE i = 1");
  const std::string text = "SELECT count(*) FROM still WHERE i = $1";
  REQUIRE(eventually([&] {
    const auto later = site.collect(PGA_REASON_SCHEDULE);
    CHECK_FALSE(later.HasMember("statement_texts"));
    return later.HasMember("statements");
  }));
  CHECK(row_of(site.collect(), "statement_texts", "text", text) != nullptr);
}

TEST_CASE("texts that could not be read are asked for again") {
  Site site;
  site.server.sql("postgres", "SELECT count(*) FROM still WHERE i = 1");
  site.server.sql("postgres", "ALTER FUNCTION pg_catalog.regexp_replace(text, text, text) RENAME TO away");
  const auto without = site.collect();
  CHECK_FALSE(without.HasMember("statement_texts"));
  CHECK(without.HasMember("statements"));
  REQUIRE(without["errors"].Size() >= 1);
  CHECK(without["errors"][0]["family"] == "statement_texts");
  site.server.sql("postgres", "ALTER FUNCTION pg_catalog.away(text, text, text) RENAME TO regexp_replace");
  const auto with = site.collect();
  CHECK_FALSE(has_errors(with));
  CHECK(row_of(with, "statement_texts", "text", "SELECT count(*) FROM still WHERE i = $1") != nullptr);
}

TEST_CASE("an extension that is not there is told, with what would bring it; the others are read") {
  Site site;
  site.server.sql("postgres", "DROP EXTENSION pg_stat_statements");
  const auto document = site.collect();
  CHECK_FALSE(document.HasMember("statements"));
  bool told = false;
  for (const Value& error : document["errors"].GetArray()) {
    if (error["family"] != "statements") continue;
    told = true;
    CHECK(error["code"] == "extension");
    CHECK(std::string(error["hint"].GetString()).find("CREATE EXTENSION pg_stat_statements") != std::string::npos);
  }
  CHECK(told);
  CHECK(document.HasMember("wal"));

  site.server.sql("postgres", "CREATE DATABASE elsewhere");
  site.server.sql("elsewhere", "CREATE EXTENSION pg_stat_statements");
  site.collect();  // finds it while it visits
  CHECK_FALSE(has_errors(site.collect()));
}

TEST_CASE("a missing privilege costs its family, and the hint says which grant") {
  Site site;
  site.server.sql("postgres", "REVOKE pg_monitor FROM monitor");
  const auto document = site.collect();
  std::set<std::string> told;
  for (const Value& error : document["errors"].GetArray()) {
    told.insert(error["family"].GetString());
    CHECK(error["code"] == "42501");
    CHECK(std::string(error["hint"].GetString()).find("pg_monitor") != std::string::npos);
  }
  // Where the server refuses, and where it only hides.
  for (const char* const family : {"directories", "activity", "settings", "statements"}) {
    INFO(family);
    CHECK(told.count(family) == 1);
  }
  CHECK(document.HasMember("wal"));
  CHECK(entry(document).HasMember("tables"));
}

TEST_CASE("bloat is estimated from statistics that the role may see, and says of which tables it may not") {
  Site site;
  site.server.sql("postgres",
                  "CREATE TABLE big AS SELECT i, repeat('x', 400) AS words FROM generate_series(1, 30000) i;"
                  "DELETE FROM big WHERE i % 2 = 0");
  site.server.sql("postgres", "VACUUM ANALYZE big");
  const auto hidden = site.collect();
  const Value* row = row_of(entry(hidden), "bloat", "name", "big");
  REQUIRE(row != nullptr);
  CHECK_FALSE((*row)["is_readable"].GetBool());
  CHECK_FALSE(row->HasMember("estimated_bloat_bytes"));
  site.server.sql("postgres", "GRANT SELECT ON big TO monitor");
  const auto shown = site.collect();
  row = row_of(entry(shown), "bloat", "name", "big");
  REQUIRE(row != nullptr);
  CHECK((*row)["is_readable"].GetBool());
  CHECK((*row)["estimated_bloat_percent"].GetDouble() == Approx(50).margin(10));
}

TEST_CASE("families have intervals of their own, and can be switched off") {
  Site site(R"(,"families":{"wal":{"enabled":false},"tables":{"interval":"1h"}})");
  const auto first = site.collect(PGA_REASON_SCHEDULE);
  CHECK_FALSE(first.HasMember("wal"));
  CHECK(first.HasMember("archiver"));
  CHECK(entry(first).HasMember("tables"));
  site.insert(1);
  const auto second = site.collect(PGA_REASON_SCHEDULE);
  CHECK_FALSE(second.HasMember("archiver"));  // 60 s
  for (const Value& database : second["databases"].GetArray()) CHECK_FALSE(database.HasMember("tables"));
  CHECK(row_of(entry(site.collect()), "tables", "name", "t") != nullptr);  // on demand all are due
}

TEST_CASE("sessions are kept from run to run, and opened again after a restart of the server") {
  Site site;
  const auto backends = [&] {
    return site.server.value("postgres",
                             "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity WHERE usename = 'monitor'");
  };
  site.collect();
  const std::string kept = backends();
  CHECK_FALSE(kept.empty());
  site.collect();
  CHECK(backends() == kept);
  site.server.stop();
  CHECK(site.instance->collect({seconds(30), 0, PGA_REASON_ONDEMAND}).status == PGA_E_TRANSIENT);
  site.server.start();
  CHECK_FALSE(has_errors(site.collect()));
  CHECK(backends() != kept);
}

TEST_CASE("who waits for a lock is told with the one at the root of it") {
  Site site;
  const auto soon = pganalytics::postgres::deadline_in(seconds(60));
  CHECK_FALSE(site.collect().HasMember("locks"));
  auto root = pganalytics::postgres::Connection::open(site.server.conninfo(), {{"application_name", "culprit"}}, soon);
  REQUIRE(root);
  REQUIRE(root->execute("BEGIN; LOCK TABLE t", soon));
  std::thread first([&] { site.server.sql("postgres", "LOCK TABLE still IN SHARE MODE; SELECT count(*) FROM t"); });
  const auto waiting = [&](const char* count) {
    return eventually(
        [&, count] { return site.server.value("postgres", "SELECT count(*) FROM pg_locks WHERE NOT granted") == count; });
  };
  const bool one = waiting("1");
  std::thread second([&] { site.server.sql("postgres", "INSERT INTO still VALUES (2)"); });
  const bool two = waiting("2");
  const auto document = site.collect();
  REQUIRE(root->execute("COMMIT", soon));
  first.join();
  second.join();
  REQUIRE(one);
  REQUIRE(two);
  REQUIRE(document["locks"]["rows"].Size() == 2);
  for (const Value& waiter : document["locks"]["rows"].GetArray()) {
    CHECK(waiter["root_application"] == "culprit");
    CHECK(waiter["root_state"] == "idle in transaction");
  }
  CHECK(document["horizon"]["rows"].Size() >= 1);
}

TEST_CASE("a password is in no document, nor what a setting may hide") {
  Site site;
  site.server.sql("postgres", "CREATE ROLE clerk LOGIN PASSWORD 'battery-staple'");
  site.server.sql("postgres", "ALTER SYSTEM SET primary_conninfo = 'password=battery-staple'");
  site.server.reload();
  // Statements as they come: the server keeps the constants of all that are not plain queries.
  for (const char* const statement :
       {"/* it's */ ALTER ROLE clerk PASSWORD E'battery\\'staple'", "DO $do$ BEGIN PERFORM 'battery'; END $do$",
        "-- don't\nALTER ROLE clerk PASSWORD 'battery' /* */", "EXPLAIN SELECT 'battery'",
        "COMMENT ON TABLE t IS $x$battery$x$"}) {
    site.server.sql("postgres", statement);
  }
  const auto result = site.instance->collect({seconds(30), 0, PGA_REASON_ONDEMAND});
  REQUIRE(result.status == PGA_OK);
  bool has_role = false, has_text = false;
  for (const std::string& document : result.documents) {
    CHECK(document.find("battery") == std::string::npos);
    CHECK(document.find("SCRAM") == std::string::npos);
    has_role = has_role || document.find("\"clerk\"") != std::string::npos;
    has_text = has_text || document.find("CREATE ROLE clerk LOGIN PASSWORD ...") != std::string::npos;
  }
  CHECK(has_role);
  CHECK(has_text);
}
