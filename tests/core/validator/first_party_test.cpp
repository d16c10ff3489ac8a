// The plugins of this tree are good ones: every check that can be performed passes, warnings included but for one: RapidJSON does
// not look at what malloc() returns (W55).
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

#include "core/schema/json_text.h"

#include <fstream>

using pganalytics::collector_test::run_program;
using pganalytics::collector_test::write_text;
using pganalytics::testing::PostgresServer;
using pganalytics::testing::TemporaryFolder;

namespace {

// Fails for each check that did not pass; returns how many were performed.
std::size_t expect_good(const std::string& id, const std::string& table) {
  const TemporaryFolder folder;
  write_text(folder / "pganalytics.toml", "[plugins." + id + "]\n" + table);
  const std::string file = std::string(FIRST_PARTY_PLUGIN_DIR) + "/" + id + ".so";
  const auto ended = run_program({"plugin", "validate", file, "--config", folder / "pganalytics.toml", "--json"});
  INFO(ended.err);
  const auto report = pganalytics::schema::parse_json(ended.out);
  REQUIRE(report);
  std::size_t performed = 0;
  for (const auto& check : report.value()["checks"].GetArray()) {
    const std::string result = check["result"].GetString();
    INFO(id << " " << check["id"].GetString() << ": " << (check["seen"].IsString() ? check["seen"].GetString() : ""));
    if (std::string(check["id"].GetString()) != "W55") CHECK(result != "fail");
    if (result != "skip") ++performed;
  }
  CHECK(ended.exit_code == 0);
  return performed;
}

}  // namespace

TEST_CASE("disk is a good plugin", "[.][first_party]") { CHECK(expect_good("disk", "") >= 40); }

// On a recorded machine: on this one processes of PostgreSQL come and go while it is judged.
TEST_CASE("sysstat is a good plugin", "[.][first_party]") {
  const std::string tree = PGANALYTICS_SOURCE_DIR "/tests/plugins/sysstat/trees/database_host/";
  CHECK(expect_good("sysstat", "proc_path = \"" + tree + "proc\"\nsys_path = \"" + tree + "sys\"\n") >= 40);
}

TEST_CASE("logs is a good plugin", "[.][first_party]") {
  const TemporaryFolder folder;
  std::ofstream log(folder / "postgresql.log");
  for (int i = 0; i < 200; ++i) log << "2026-02-03 04:05:06.789 UTC [4711] LOG:  checkpoint number " << i << " starting\n";
  log.flush();
  CHECK(expect_good("logs", "paths = [\"" + (folder / "postgresql.log") + "\"]\nstart = \"beginning\"\n") >= 40);
}

TEST_CASE("pg_stats is a good plugin", "[.][first_party]") {
  // Its work would be in one document and not in the next.
  const PostgresServer server(PostgresServer::Settings{{"autovacuum", "off"}});
  server.sql("postgres", "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
  // So would what sessions do at a moment.
  const std::string steady =
      "families = {activity = {enabled = false}, transactions = {enabled = false}, horizon = {enabled = false}}\n";
  CHECK(expect_good("pg_stats", "conninfo = \"" + server.conninfo() + "\"\n" + steady) >= 40);
}
