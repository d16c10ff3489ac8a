// The throwaway server is the major that was asked for, has contrib, and starts wherever its binaries lie.
#include "tests/support/postgres_server.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using pganalytics::testing::PostgresServer;
using pganalytics::testing::TemporaryFolder;

TEST_CASE("it is the major that was asked for, in UTF-8, with contrib") {
  const PostgresServer server{{{"shared_preload_libraries", "pg_stat_statements"}}};
  if (const char* const major = std::getenv("PGANALYTICS_TEST_PG_MAJOR")) {
    CHECK(server.value("postgres", "SELECT current_setting('server_version_num')::int / 10000") == major);
  }
  CHECK(server.value("postgres", "SELECT upper('n\u00e4me')") == "N\u00c4ME");
  server.sql("postgres", "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pg_buffercache");
  CHECK(server.value("postgres", "SELECT count(*) > 0 FROM pg_stat_statements") == "t");
  CHECK(server.value("postgres", "SELECT count(*) > 0 FROM pg_buffercache") == "t");
}

TEST_CASE("statistics that have settled are those of every session so far") {
  const PostgresServer& server = PostgresServer::shared();
  const std::string database = server.new_database();
  server.sql(database, "CREATE TABLE t (i int)");
  for (int rows = 1; rows <= 5; ++rows) {
    server.sql(database, "INSERT INTO t VALUES (1)");
    server.settle_statistics(database);
    CHECK(server.value(database, "SELECT n_tup_ins FROM pg_stat_user_tables") == std::to_string(rows));
  }
}

TEST_CASE("binaries in a folder that is closed to the server's account run all the same") {
  const TemporaryFolder closed;  // 0700, and root's where the server is not
  const char* const given = std::getenv("PGANALYTICS_TEST_PG_BIN");
  if (given == nullptr) return;
  const std::string open = given;
  std::filesystem::create_directory_symlink(open, closed / "bin");
  setenv("PGANALYTICS_TEST_PG_BIN", (closed / "bin").c_str(), 1);
  CHECK_NOTHROW(PostgresServer().sql("postgres", "SELECT 1"));
  setenv("PGANALYTICS_TEST_PG_BIN", open.c_str(), 1);
}
