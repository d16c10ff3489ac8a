#include <atomic>

#include "core/files/files.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::Store;

TEST_CASE("opening again changes nothing") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::string before = fixture.value("SELECT string_agg(v::text, ',' ORDER BY version) FROM pganalytics.migrations v");
  CHECK_FALSE(before.empty());
  const auto again = fixture.open_again();
  CHECK(again->collector(id));
  CHECK(fixture.value("SELECT string_agg(v::text, ',' ORDER BY version) FROM pganalytics.migrations v") == before);
}

TEST_CASE("a database of before the partitions keeps what is in it, as it lies") {
  StoreFixture fixture;
  const auto& postgres = fixture.server();
  postgres.sql("postgres", "CREATE DATABASE old_one");
  std::string version =
      "create schema pganalytics; create table pganalytics.migrations (version integer primary key, name text not "
      "null, applied_at timestamptz not null default now());";
  postgres.sql("old_one", version);
  int number = 0;
  for (const char* name : {"initial", "config_status", "audit_chain", "identity", "parts"}) {
    const std::string path = std::string(PGANALYTICS_SOURCE_DIR) + "/core/server/store/migrations/000" +
                             std::to_string(++number) + "_" + name + ".sql";
    postgres.sql("old_one", files::read(path).value());
    postgres.sql("old_one", "insert into pganalytics.migrations values (" + std::to_string(number) + ", 'x')");
  }
  const std::string id = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
  postgres.sql(
      "old_one",
      "insert into pganalytics.collectors (id, name, hostname) values ('" + id +
          "', 'db1', 'h');"
          "insert into pganalytics.documents (collector_id, type, ts, received_at, epoch, seq, index, document) select '" +
          id + "', 'disk', now(), now() - n * interval '1 day', '', n, 0, '{}' from generate_series(0, 40) n");
  const auto store = must(Store::open({postgres.conninfo("old_one"), 2}));
  CHECK(postgres.value("old_one", "select count(*) from pganalytics.documents") == "41");
  CHECK(postgres.value("old_one", "select count(*) from pganalytics.documents_default") == "0");
  const std::vector<std::string> texts = {"{}"};
  REQUIRE(store->push(push_of(id, 1, texts)));
  CHECK(postgres.value("old_one", "select max(id) from pganalytics.documents") == "42");
  server::store::MetricsQuery query;
  query.collector_id = id;
  CHECK(must(store->metrics(query)).documents.size() == 42);
  // The old table is one partition, so it is thinned row by row until it is old enough.
  CHECK(must(store->expire()).documents == 9);
}

TEST_CASE("eight servers that meet on an empty database make one schema") {
  StoreFixture fixture;  // for its server only
  fixture.server().sql("postgres", "CREATE DATABASE meeting_point");
  std::atomic<int> opened{0};
  together(8, [&](int) {
    if (Store::open({fixture.server().conninfo("meeting_point"), 2})) ++opened;
  });
  CHECK(opened == 8);
}

TEST_CASE("a database that a newer program has made is refused, with what to do") {
  StoreFixture fixture;
  const std::string columns = fixture.value(
      "SELECT string_agg(quote_ident(attname), ',') FROM pg_attribute WHERE attrelid = 'pganalytics.migrations'::regclass "
      "AND attnum > 0 AND attname <> 'version'");
  fixture.server().sql(fixture.database(), "INSERT INTO pganalytics.migrations (version, " + columns + ") SELECT 9999, " +
                                               columns + " FROM pganalytics.migrations LIMIT 1");
  const auto opened = Store::open({fixture.conninfo(), 2});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().status != PGA_E_TRANSIENT);
  CHECK(opened.error().message.find("9999") != std::string::npos);
  CHECK_FALSE(opened.error().hint.empty());
}

TEST_CASE("an ordinary role that owns its database needs nothing more") {
  StoreFixture fixture;
  fixture.server().sql("postgres", "CREATE ROLE keeper LOGIN");
  fixture.server().sql("postgres", "CREATE DATABASE kept OWNER keeper");
  const auto opened = Store::open({fixture.server().conninfo("kept", "keeper"), 2});
  if (!opened) FAIL(opened.error().message);
  CHECK(opened.value()->ping());
}

TEST_CASE("a session says who it is and commits durably, whatever the database's defaults are") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  fixture.server().sql("postgres", "ALTER DATABASE " + fixture.database() + " SET synchronous_commit = off");
  fixture.server().sql("postgres", "ALTER DATABASE " + fixture.database() + " SET search_path = 'evil'");
  fixture.server().sql(fixture.database(), R"(
      CREATE TABLE public.witness (durable text, who text);
      CREATE FUNCTION public.testify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.witness VALUES (pg_catalog.current_setting('synchronous_commit'), pg_catalog.current_setting('application_name'));
        RETURN NEW; END $$;
      CREATE TRIGGER testify AFTER INSERT ON pganalytics.batches FOR EACH ROW EXECUTE FUNCTION public.testify())");
  const auto store = fixture.open_again(1);
  const std::vector<std::string> texts = {"{}"};
  const auto pushed = store->push(push_of(id, 1, texts));
  if (!pushed) FAIL(pushed.error().message);
  CHECK(fixture.value("SELECT durable || ' ' || who FROM public.witness") == "on pganalytics-server");
}

TEST_CASE("pushes need no prepared statements, and have them unless told") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  fixture.server().sql(fixture.database(), R"(
      CREATE TABLE public.witness (prepared bigint);
      CREATE FUNCTION public.testify() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.witness SELECT count(*) FROM pg_catalog.pg_prepared_statements;
        RETURN NEW; END $$;
      CREATE TRIGGER testify AFTER INSERT ON pganalytics.batches FOR EACH ROW EXECUTE FUNCTION public.testify())");
  const std::vector<std::string> texts = {"{}"};
  const auto prepared_after_push = [&](bool prepared, std::uint64_t seq) {
    const auto store = must(Store::open({fixture.conninfo(), 1, 0, prepared}));
    must(store->push(push_of(id, seq, texts)));
    return fixture.value("DELETE FROM public.witness RETURNING prepared");
  };
  CHECK(prepared_after_push(true, 1) != "0");
  CHECK(prepared_after_push(false, 2) == "0");
}

TEST_CASE("documents are compressed by lz4 where PostgreSQL has it") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const std::vector<std::string> texts = {R"({"text":")" + std::string(10'000, 'x') + R"("})"};
  must(fixture.store().push(push_of(id, 1, texts)));
  const std::string best = fixture.value(
      "SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END FROM pg_settings "
      "WHERE name = 'default_toast_compression'");
  CHECK(fixture.value("SELECT pg_column_compression(document) FROM pganalytics.documents") == best);
}

TEST_CASE("a server that is not there is said at once, and may be asked again") {
  const auto opened = Store::open({"host=/nonexistent dbname=x", 1});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().status == PGA_E_TRANSIENT);
}
