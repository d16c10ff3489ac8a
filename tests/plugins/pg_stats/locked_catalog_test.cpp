// ACCESS EXCLUSIVE on system catalogs, as VACUUM FULL and a careless LOCK TABLE take it: bounded, told, and nobody queues behind
// us.
#include <rapidjson/document.h>

#include <string>
#include <utility>

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

const auto kSoon = postgres::deadline_in(seconds(200));

PostgresServer& server() {
  static PostgresServer* const made = [] {
    static PostgresServer one;
    one.sql("postgres", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE TABLE here (i int)");
    one.sql("postgres", "CREATE DATABASE locked");
    one.sql("locked", "CREATE TABLE there (i int PRIMARY KEY)");
    return &one;
  }();
  return *made;
}

std::string config(const std::string& more = "") {
  return with_defaults("{\"conninfo\":\"" + server().conninfo("postgres", "monitor") + "\"," + kNoStatements + more + "}");
}

postgres::Connection hold_lock(const std::string& dbname, const std::string& relation) {
  auto holder = postgres::Connection::open(server().conninfo(dbname), {}, kSoon);
  REQUIRE(holder);
  const auto locked = holder->execute("BEGIN; LOCK TABLE " + relation, kSoon);
  INFO((locked ? "" : locked.error().message));
  REQUIRE(locked);
  return std::move(holder).value();
}

// How many wait for a lock. Asked by who holds it: others may not get in.
std::int64_t waiting(postgres::Connection& holder) {
  const auto rows = holder.execute("SELECT count(*) FROM pg_locks WHERE NOT granted", kSoon);
  REQUIRE(rows);
  return rows->int64(0, 0).value_or(-1);
}

std::string sessions() {
  return server().value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pganalytics/%'");
}

void check_lock_timeout(const Value& error) {
  INFO(error["message"].GetString());
  CHECK(error["code"] == "55P03");
  CHECK(error["hint"].IsString());
}

}  // namespace

TEST_CASE("a locked catalog costs its database what reads it, whether the session was kept or is opened now") {
  for (const std::string catalog : {"pg_class", "pg_proc", "pg_attribute", "pg_am"}) {
    INFO(catalog);
    FakeHost host;
    Instance kept = configured(host, config());
    REQUIRE(is_without_errors(collect(kept)));
    Instance fresh = configured(host, config());
    auto holder = hold_lock("locked", catalog);
    for (Instance* const instance : {&kept, &fresh}) {
      const Collected collected = collect(*instance);
      CHECK(waiting(holder) == 0);
      INFO(collected.result.error_message);
      REQUIRE(collected.result.status == PGA_OK);
      const auto errors = errors_of(collected);
      CHECK_FALSE(errors.empty());
      for (const Value* const error : errors) {
        CHECK((*error)["database"] == "locked");
        check_lock_timeout(*error);
      }
      const rapidjson::Document& document = collected.documents.front();
      CHECK(document["wal"].IsObject());
      CHECK(database(document, "locked")["database"].IsObject());
      if (instance == &fresh) CHECK(named(database(document, "postgres")["tables"]["rows"], "here") != nullptr);
    }
  }
}

TEST_CASE("a locked catalog of all databases costs what reads it; who has kept sessions reads the rest") {
  FakeHost host;
  Instance instance = configured(host, config());
  REQUIRE(is_without_errors(collect(instance)));
  {
    auto holder = hold_lock("locked", "pg_authid");
    const Collected collected = collect(instance);
    CHECK(waiting(holder) == 0);
    CHECK(collected.result.status == PGA_OK);
    const auto errors = errors_of(collected);
    CHECK_FALSE(errors.empty());
    for (const Value* const error : errors) check_lock_timeout(*error);
    CHECK(collected.documents.front()["wal"].IsObject());
  }
  {
    auto holder = hold_lock("locked", "pg_database");  // without it there is no saying what to read
    const Collected collected = collect(instance);
    CHECK(waiting(holder) == 0);
    CHECK(collected.result.status == PGA_E_TRANSIENT);
    CHECK(collected.result.error_code == "55P03");
  }
  CHECK(is_without_errors(collect(instance)));
}

TEST_CASE("a server that lets nobody in for a lock costs connect_timeout, and the session that waits ends with the lock") {
  FakeHost host;
  Instance instance = configured(host, config(R"(,"connect_timeout":"1s")"));
  {
    const auto holder = hold_lock("locked", "pg_authid");  // no timeout of ours holds before the server knows who we are
    const Collected collected = collect(instance);
    CHECK(collected.result.status == PGA_E_TRANSIENT);
    CHECK(collected.result.error_code == "pg.connect");
  }
  CHECK(eventually([] { return sessions() == "0"; }));
  CHECK(is_without_errors(collect(instance)));
}

TEST_CASE(
    "a lock on pg_stat_statements costs nothing, for its function is read; one on pg_stat_statements_info costs statements") {
  const PostgresServer with_statements{{{"shared_preload_libraries", "pg_stat_statements"}}};
  with_statements.sql("postgres", "CREATE EXTENSION pg_stat_statements");
  auto holder = postgres::Connection::open(with_statements.conninfo(), {}, kSoon);
  REQUIRE(holder);
  FakeHost host;
  const std::string all = with_defaults("{\"conninfo\":\"" + with_statements.conninfo() + "\"}");
  REQUIRE(holder->execute("BEGIN; LOCK TABLE pg_stat_statements", kSoon));
  const Collected whole = collect(host, all);
  REQUIRE(is_without_errors(whole));
  CHECK(whole.documents.front()["statement_texts"]["rows"].Size() > 0);

  REQUIRE(holder->execute("LOCK TABLE pg_stat_statements_info", kSoon));
  const Collected without = collect(host, all);
  REQUIRE(without.result.status == PGA_OK);
  CHECK(errors_of(without).size() == 2);
  for (const Value* const error : errors_of(without)) check_lock_timeout(*error);
  CHECK(without.documents.front()["wal"].IsObject());
}
