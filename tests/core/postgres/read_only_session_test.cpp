#include "core/postgres/read_only_session.h"

#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::postgres;

namespace {

ReadOnlySession::Profile profile_for(const std::string& conninfo) {
  ReadOnlySession::Profile profile;
  profile.conninfo = conninfo;
  profile.application_name = "pganalytics/test";
  profile.asker = "test";
  profile.connect_timeout = profile.statement_timeout = std::chrono::seconds(10);
  profile.lock_timeout = std::chrono::milliseconds(70);
  profile.deadline = deadline_in(std::chrono::seconds(30));
  return profile;
}

}  // namespace

TEST_CASE("a read-only session writes nothing, waits for no lock, and answers with and without parameters") {
  const testing::PostgresServer server(testing::PostgresServer::Settings{});
  server.sql("postgres", "CREATE TABLE t (id int); INSERT INTO t VALUES (41)");
  auto profile = profile_for(server.conninfo("postgres") + " options='-c geqo=off'");
  profile.settings = {{"work_mem", "3MB"}};
  auto session = ReadOnlySession::open(profile, "");
  REQUIRE(session);

  const auto written = session->query("INSERT INTO public.t VALUES (1)");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == "25006");  // read_only_sql_transaction

  const auto settings = session->query(
      "SELECT current_setting('lock_timeout'), current_setting('work_mem'), current_setting('geqo'), "
      "current_setting('application_name'), current_setting('search_path')");
  REQUIRE(settings);
  CHECK(settings->text(0, 0) == "70ms");
  CHECK(settings->text(0, 1) == "3MB");
  CHECK(settings->text(0, 2) == "off");  // what the operator's own options say holds as well
  CHECK(settings->text(0, 3) == "pganalytics/test");
  CHECK(settings->text(0, 4) == "pg_catalog");

  const auto added = session->query("SELECT id + $1::int, $2::text FROM public.t", {"1", std::nullopt});
  REQUIRE(added);
  CHECK(added->text(0, 0) == "42");
  CHECK(added->is_null(0, 1));
}

TEST_CASE("a read-only session opens the database it is told to") {
  const testing::PostgresServer server(testing::PostgresServer::Settings{});
  server.sql("postgres", "CREATE DATABASE shop");
  auto session = ReadOnlySession::open(profile_for(server.conninfo("postgres")), "shop");
  REQUIRE(session);
  const auto name = session->query("SELECT current_database()");
  REQUIRE(name);
  CHECK(name->text(0, 0) == "shop");
}
