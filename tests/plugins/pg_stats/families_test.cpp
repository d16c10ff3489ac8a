// The families as files: each is well-formed, runs as a role that has pg_monitor and nothing else, on the server that the tests
// are given, and is described by output.schema.json.
#include "plugins/pg_stats/families.h"
#include "plugins/pg_stats/settings.h"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pganalytics/json.hpp>
#include <set>
#include <sstream>

#include "core/postgres/connection.h"
#include "core/postgres/copy_line.h"
#include "plugins/pg_stats/probes.h"
#include "tests/plugins/pg_stats/output_schema.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::pg_stats;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string behind_comments(const std::string& sql) { return sql.substr(sql.find("*/")); }

// Words that begin with pg_ and are neither pg_catalog itself, nor qualified, nor inside a string literal.
std::set<std::string> unqualified_names(const std::string& sql) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  std::set<std::string> names;
  for (std::size_t at = sql.find("pg_"); at != std::string::npos; at = sql.find("pg_", at + 1)) {
    const char before = at == 0 ? ' ' : sql[at - 1];
    if (is_word(before) || before == '.' || before == '\'' || before == '^') continue;
    const auto end = std::find_if_not(sql.begin() + static_cast<std::ptrdiff_t>(at), sql.end(), is_word);
    const std::string name(sql.begin() + static_cast<std::ptrdiff_t>(at), end);
    if (name != "pg_catalog") names.insert(name);
  }
  return names;
}

Settings settings_for(const std::string& conninfo) {
  Settings settings;
  settings.conninfo = conninfo;
  settings.connect_timeout = settings.statement_timeout = std::chrono::seconds(60);
  settings.lock_timeout = std::chrono::milliseconds(100);
  return settings;
}

}  // namespace

TEST_CASE("each file in families/ is a family, and each family has a file") {
  std::set<std::string> files, names;
  for (const auto& entry : std::filesystem::directory_iterator(PGANALYTICS_SOURCE_DIR "/plugins/pg_stats/families")) {
    if (entry.path().extension() == ".sql") files.insert(entry.path().stem().string());
  }
  for (const Family& family : families()) names.insert(family.name);
  CHECK(files == names);
}

TEST_CASE("each name in a query is qualified") {
  for (const Family& family : families()) {
    INFO(family.name);
    CHECK(unqualified_names(select_of(family, family.probes())).empty());
    CHECK(unqualified_names(select_of(family, {})).empty());
  }
  CHECK(unqualified_names(behind_comments(text_of(PGANALYTICS_SOURCE_DIR "/plugins/pg_stats/queries/databases.sql"))).empty());
  CHECK(unqualified_names("SELECT pg_table_size(1) FROM pg_catalog.pg_class WHERE x !~ '^pg_' AND y = 'pg_read_all_stats'") ==
        std::set<std::string>{"pg_table_size"});
}

TEST_CASE("output.schema.json says what the families say") {
  const std::string path = PGANALYTICS_SOURCE_DIR "/plugins/pg_stats/output.schema.json";
  const std::string wanted = output_schema_of(families());
  if (std::getenv("PGANALYTICS_UPDATE") != nullptr) std::ofstream(path) << wanted;
  INFO("run test_pg_stats with PGANALYTICS_UPDATE=1, and look at what it has changed");
  CHECK(text_of(path) == wanted);
}

TEST_CASE("config.schema.json has a switch for each family but the server itself, and says what it is") {
  const std::string path = PGANALYTICS_SOURCE_DIR "/plugins/pg_stats/config.schema.json";
  std::string text = text_of(path);
  for (const Family& family : families()) {
    const std::string key = "        \"" + family.name + "\": {\"$ref\": \"#/definitions/family\", \"description\": ";
    const std::size_t at = text.find(key);
    INFO(family.name);
    if (family.name == "server") {
      CHECK(at == std::string::npos);
      continue;
    }
    REQUIRE(at != std::string::npos);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(family.interval);
    const bool is_long = family.interval > std::chrono::minutes(1);
    const std::string interval =
        is_long ? std::to_string(minutes.count()) + "m" : std::to_string(family.interval.count() / 1000) + "s";
    const std::string about = family.description + " Every " + interval + " by default.";
    text.replace(at, text.find("}", at + key.size()) - at, key + std::string(JsonWriter().value(about).text()));
  }
  if (std::getenv("PGANALYTICS_UPDATE") != nullptr) std::ofstream(path) << text;
  INFO("run test_pg_stats with PGANALYTICS_UPDATE=1, and look at what it has changed");
  CHECK(text_of(path) == text);
}

TEST_CASE("each family runs as pg_monitor, for real and under EXPLAIN, and has the columns that it says") {
  const testing::PostgresServer server(
      testing::PostgresServer::Settings{{"shared_preload_libraries", "pg_stat_statements"}, {"logging_collector", "on"}});
  server.sql("postgres",
             "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE SCHEMA \"odd \"\" schema\"; CREATE EXTENSION "
             "pg_stat_statements SCHEMA \"odd \"\" schema\"; GRANT USAGE ON SCHEMA \"odd \"\" schema\" TO monitor;"
             "CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, words text);"
             "INSERT INTO s.t SELECT i, 'x' FROM generate_series(1, 100) i; CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t;"
             "CREATE SEQUENCE s.narrow MAXVALUE 10; SELECT setval('s.narrow', 9)");
  auto profile = session_profile(settings_for(server.conninfo("postgres", "monitor")), "test");
  profile.deadline = postgres::deadline_in(std::chrono::seconds(60));
  auto session = postgres::ReadOnlySession::open(profile, "");
  REQUIRE(session);
  const auto work_mem = session->query("SHOW work_mem");
  REQUIRE(work_mem);
  CHECK(work_mem->text(0, 0) == "16MB");  // no family writes temporary files
  int ran = 0;
  std::string directories;
  for (const Family& family : families()) {
    INFO(family.name);
    const auto known = known_probes(*session, family.probes(), family.extension);
    REQUIRE(known);
    if (!family.needs.empty() && known->count(family.needs) == 0) continue;
    std::string schema;
    if (!family.extension.empty()) {
      const auto found = extension_schema(*session, family.extension);
      REQUIRE((found && *found));
      schema = **found;
    }
    const std::string sql = select_of(family, *known, schema);
    const auto rows = session->query(sql);
    INFO((rows ? "" : rows.error().message + "\n" + sql));
    REQUIRE(rows);
    REQUIRE(rows->columns() == static_cast<int>(family.columns.size()));
    for (int column = 0; column < rows->columns(); ++column)
      CHECK(rows->name(column) == family.columns[static_cast<std::size_t>(column)].name);
    CHECK(session->query("EXPLAIN " + sql));
    std::vector<std::optional<std::string_view>> fields;
    const auto copied = session->read(sql, [&](std::string_view line) -> Outcome {
      postgres::split_copy_line(line, fields);
      if (family.name == "directories") directories += std::string(line.substr(0, line.find('\t'))) + " ";
      return fields.size() == family.columns.size() ? Outcome() : Error{PGA_E_FAIL, "test", std::string(line), "", 0};
    });
    CHECK(copied);
    ++ran;
  }
  CHECK(ran >= 30);
  CHECK(directories == "wal archive_ready temp log ");
}
