// Every SQL file runs as a role that has pg_monitor and nothing else, and keeps the rules of the folder.
#include "plugins/pg_stats/queries.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/postgres/connection.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::pg_stats;

namespace {

struct File {
  std::string name;
  int version_min;
  std::string sql;
};

std::vector<File> files() {
  std::vector<File> all;
  for (const auto& entry : std::filesystem::directory_iterator(PGANALYTICS_SOURCE_DIR "/plugins/pg_stats/queries")) {
    if (entry.path().extension() == ".md") continue;
    std::ifstream stream(entry.path());
    std::stringstream text;
    text << stream.rdbuf();
    const std::string stem = entry.path().stem().string();  // tables.v14
    const std::size_t version = stem.rfind(".v");
    REQUIRE(version != std::string::npos);
    all.push_back({stem.substr(0, version), std::stoi(stem.substr(version + 2)) * 10000, text.str()});
  }
  return all;
}

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

std::vector<std::string> columns_of(const postgres::Rows& rows) {
  std::vector<std::string> names;
  for (int column = 0; column < rows.columns(); ++column) {
    names.push_back(std::string(rows.name(column)) + ":" + std::to_string(rows.type(column)));
  }
  return names;
}

}  // namespace

TEST_CASE("each query has a two-line header, its marker, and only qualified names") {
  for (const File& file : files()) {
    INFO(file.name << " v" << file.version_min / 10000);
    CHECK(file.sql.find("-- ") == 0);
    const std::size_t second = file.sql.find('\n') + 1;
    CHECK(file.sql.compare(second, 3, "-- ") == 0);
    const std::size_t third = file.sql.find('\n', second) + 1;
    const std::string marker = "/* pganalytics:pg_stats/" + file.name + " */\n";
    CHECK(file.sql.compare(third, marker.size(), marker) == 0);
    CHECK(unqualified_names(file.sql.substr(third + marker.size())).empty());
  }
}

TEST_CASE("the check above sees a name that is not qualified") {
  CHECK(unqualified_names("SELECT pg_table_size(1) FROM pg_catalog.pg_class WHERE x !~ '^pg_' AND y = 'pg_read_all_stats'") ==
        std::set<std::string>{"pg_table_size"});
}

TEST_CASE("each query runs as pg_monitor, for real and under EXPLAIN") {
  const testing::PostgresServer server;
  server.sql("postgres",
             "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, words text);"
             "INSERT INTO s.t SELECT i, 'x' FROM generate_series(1, 100) i; CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t");
  const auto soon = postgres::deadline_in(std::chrono::seconds(60));
  auto connection =
      postgres::Connection::open(server.conninfo("postgres", "monitor"),
                                 {{"options", "-c search_path=pg_catalog -c default_transaction_read_only=on"}}, soon);
  REQUIRE(connection);
  int ran = 0;
  for (const File& file : files()) {
    if (file.version_min > connection->server_version()) continue;
    INFO(file.name << " v" << file.version_min / 10000);
    const auto rows = connection->execute(file.sql, soon);
    REQUIRE(rows);
    CHECK(rows->size() > 0);
    CHECK(connection->execute("EXPLAIN " + file.sql, soon));
    ++ran;
  }
  CHECK(ran >= 7);
}

TEST_CASE("the variants of a query differ in versions, not in columns") {
  const testing::PostgresServer server;
  const auto soon = postgres::deadline_in(std::chrono::seconds(60));
  auto connection = postgres::Connection::open(server.conninfo(), {}, soon);
  REQUIRE(connection);
  std::map<std::string, std::vector<std::string>> seen;
  for (const File& file : files()) {
    if (file.version_min > connection->server_version()) continue;
    INFO(file.name << " v" << file.version_min / 10000);
    const auto rows = connection->execute(file.sql, soon);
    REQUIRE(rows);
    const auto columns = columns_of(*rows);
    CHECK(seen.emplace(file.name, columns).first->second == columns);
  }
}

TEST_CASE("the newest variant that a server knows is picked") {
  CHECK(pick(kTables, 150004) == embedded::tables_v14_sql);
  CHECK(pick(kTables, 160000) == embedded::tables_v16_sql);
  CHECK(pick(kTables, 179999) == embedded::tables_v16_sql);
  CHECK(pick(kTables, 190001) == embedded::tables_v18_sql);
  CHECK(pick(kDatabases, 140000) == embedded::databases_v14_sql);
}
