// A server that does not let us in, or not everywhere: limits of connections, and a password that is another one now.
#include <rapidjson/document.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/postgres/connection.h"
#include "tests/plugins/pg_stats/collected.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using rapidjson::Value;
using std::chrono::seconds;

namespace {

const std::set<std::string> kInside{"inside"};

// Databases "postgres" and those named, each with a table "inside", and the role that reads them.
void furnish(const PostgresServer& server, const std::vector<std::string>& databases) {
  server.sql("postgres", "CREATE ROLE monitor LOGIN PASSWORD 'first-horse' IN ROLE pg_monitor; CREATE TABLE inside (i int)");
  for (const std::string& name : databases) {
    server.sql("postgres", "CREATE DATABASE " + name);
    server.sql(name, "CREATE TABLE inside (i int)");
  }
}

std::string config_of(const PostgresServer& server, const std::string& more = "") {
  return with_defaults("{\"conninfo\":\"" + server.conninfo("postgres", "monitor") + "\"," + kNoStatements + more + "}");
}

std::string sessions(const PostgresServer& server) {
  return server.value(
      "postgres",
      "SELECT string_agg(datname || ' ' || pid, ', ' ORDER BY datname) FROM pg_stat_activity WHERE usename = 'monitor'");
}

void end_sessions(const PostgresServer& server, const std::string& which = "true") {
  const std::string ours = " FROM pg_stat_activity WHERE usename = 'monitor' AND " + which;
  server.sql("postgres", "SELECT pg_terminate_backend(pid)" + ours);
  REQUIRE(eventually([&] { return server.value("postgres", "SELECT count(*)" + ours) == "0"; }));
}

// The one error, and that it is of this database.
void check_refused(const Collected& collected, const std::string& database, const std::string& code) {
  INFO(collected.result.error_message);
  REQUIRE(collected.result.status == PGA_OK);
  const auto errors = errors_of(collected);
  REQUIRE(errors.size() == 1);
  CHECK((*errors[0])["database"].GetString() == database);
  CHECK((*errors[0])["code"].GetString() == code);
  CHECK((*errors[0])["hint"].IsString());
}

}  // namespace

TEST_CASE("a database without room for us is told, and the sessions with the others are kept") {
  const PostgresServer server;
  furnish(server, {"packed", "wiki"});
  server.sql("postgres", "ALTER DATABASE packed CONNECTION LIMIT 0");
  FakeHost host;
  Instance instance = configured(host, config_of(server));
  const Collected first = collect(instance);
  check_refused(first, "packed", "53300");
  CHECK(tables_of(first, "postgres") == kInside);
  CHECK(tables_of(first, "wiki") == kInside);

  // That closing ours makes no room there is known now.
  check_refused(collect(instance), "packed", "53300");
  const std::string kept = sessions(server);
  check_refused(collect(instance), "packed", "53300");
  CHECK(sessions(server) == kept);

  server.sql("postgres", "ALTER DATABASE packed CONNECTION LIMIT -1");
  const Collected last = collect(instance);
  CHECK(is_without_errors(last));
  CHECK(tables_of(last, "packed") == kInside);
}

TEST_CASE("while others have all connections the run fails for now, and one that is free is enough") {
  const PostgresServer server{{{"max_connections", "6"}}};  // three of which are the superuser's
  furnish(server, {"wiki"});
  server.sql("postgres", "CREATE ROLE clerk LOGIN");
  const auto soon = postgres::deadline_in(seconds(60));
  std::vector<postgres::Connection> others;
  REQUIRE(eventually([&] {  // sessions that have ended are counted for a moment
    auto other = postgres::Connection::open(server.conninfo("postgres", "clerk"), {}, soon);
    if (other) others.push_back(std::move(other).value());
    return others.size() == 3;
  }));
  FakeHost host;
  Instance instance = configured(host, config_of(server));
  const Collected refused = collect(instance);
  CHECK(refused.result.status == PGA_E_TRANSIENT);
  CHECK(refused.result.error_code == "53300");
  CHECK(refused.result.error_message.find("HINT: ") != std::string::npos);

  others.back().close(soon);
  auto free = postgres::Connection::open(server.conninfo("postgres", "postgres"), {}, soon);
  REQUIRE(free);
  REQUIRE(eventually([&] {  // a session that has ended is counted for a moment
    const auto counted = free->execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'clerk'", soon);
    return counted && counted->text(0, 0) == "2";
  }));
  free->close(soon);
  for (int i = 0; i < 2; ++i) {
    const Collected collected = collect(instance);
    CHECK(is_without_errors(collected));
    if (i == 0) CHECK(tables_of(collected, "wiki") == kInside);
  }
}

TEST_CASE("a password that was changed is missed when a session is opened, and the new one is used at once") {
  PostgresServer server;
  furnish(server, {"wiki"});
  server.set_hba("local all monitor scram-sha-256");
  FakeHost host;
  host.secrets["horse"] = "first-horse";
  Instance instance = configured(host, config_of(server, R"(,"password":{"$secret":"horse"})"));
  REQUIRE(is_without_errors(collect(instance)));
  server.sql("postgres", "ALTER ROLE monitor PASSWORD 'second-horse'");
  CHECK(is_without_errors(collect(instance)));  // over sessions that were kept

  end_sessions(server, "datname = 'wiki'");
  check_refused(collect(instance), "wiki", "28P01");

  end_sessions(server);
  const Collected refused = collect(instance);
  CHECK(refused.result.status == PGA_E_DENIED);
  CHECK(refused.result.error_code == "28P01");
  CHECK(refused.result.error_message.find("HINT: ") != std::string::npos);
  CHECK(refused.result.error_message.find("horse") == std::string::npos);

  host.secrets["horse"] = "second-horse";
  const Collected again = collect(instance);
  CHECK(is_without_errors(again));
  CHECK(tables_of(again, "wiki") == kInside);
}
