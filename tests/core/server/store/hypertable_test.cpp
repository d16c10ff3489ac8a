// Points in a hypertable: when they are put there, and what is asked of the extension from then on.
//
// The extension is a stand-in: its row in pg_extension, and functions and views of the names and signatures of TimescaleDB's that
// write down how they were called and act on a plain table. So this proves when it is used and with which words; not that
// TimescaleDB takes them, nor compression, which is asked for only where the license setting is there (docs/STORAGE.md says how
// that was tried).
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

constexpr std::int64_t kDay = 86'400 * kSecond;

constexpr char kStandIn[] = R"(
create schema ts;
create table ts.calls (id integer generated always as identity, call text);
create function ts.create_hypertable(relation regclass, time_column_name name, partitioning_column name default null,
    number_partitions integer default null, associated_schema_name name default null, associated_table_prefix name default null,
    chunk_time_interval interval default null, create_default_indexes boolean default true) returns text language sql as $$
  insert into ts.calls (call) values (concat_ws(' ', 'create_hypertable', relation, time_column_name, chunk_time_interval, create_default_indexes)) returning call
$$;
create function ts.set_chunk_time_interval(hypertable regclass, chunk_time_interval interval) returns void language sql as $$
  insert into ts.calls (call) values (concat_ws(' ', 'set_chunk_time_interval', hypertable, chunk_time_interval))
$$;
create function ts.drop_chunks(relation regclass, older_than timestamptz) returns setof text language sql as $$
  insert into ts.calls (call) values (concat_ws(' ', 'drop_chunks', relation, round(extract(epoch from now() - older_than) / 86400)));
  with gone as (delete from pganalytics.points where time < older_than returning 1) select 'ts._hyper_1_1_chunk' from gone limit 1
$$;
create function ts.hypertable_size(hypertable regclass) returns bigint language sql as $$
  select 8000000
$$;
create schema timescaledb_information;
create view timescaledb_information.dimensions as
  select 'pganalytics'::name as hypertable_schema, 'points'::name as hypertable_name, interval '1 day' as time_interval;
create view timescaledb_information.chunks as
  select 'pganalytics'::name as hypertable_schema, 'points'::name as hypertable_name, '_hyper_1_' || n || '_chunk' as chunk_name,
         date_trunc('day', now()) - n * interval '1 day' as range_start, date_trunc('day', now()) - (n - 1) * interval '1 day' as range_end
  from generate_series(0, 60) n;
)";

struct Hypertable : StoreFixture {
  Plugin plugin = add_plugin(store(), "disk", kTablesSchema);
  std::int64_t now = std::stoll(value("select extract(epoch from now())::bigint")) * kSecond;
  std::uint64_t seq = 0;

  void add_extension(const std::string& version = "2.23.0-dev") {
    server().sql(database(), kStandIn);
    server().sql(
        database(),
        "set allow_system_table_mods = on; insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, "
        "extversion) values (99999, 'timescaledb', 10, 'ts'::regnamespace, false, '" +
            version + "')");
  }
  void push(const std::string& id, int days_ago) {
    push_rows(store(), plugin, id, ++seq, {R"({"tables":[{"name":"a","scans":)" + std::to_string(days_ago) + "}]}"},
              now - days_ago * kDay);
  }
  std::string kept(const std::string& id) {
    return value("select string_agg(scans::text, ' ' order by scans) from metrics.pg_table where collector_id = '" + id + "'");
  }
  std::string kind() { return value("select pganalytics.points_kind()"); }
  std::string calls() { return value("select string_agg(call, '; ' order by id) from ts.calls"); }
};

}  // namespace

TEST_CASE("without the extension points are partitions, and nothing makes anything else of them") {
  Hypertable fixture;
  CHECK(fixture.kind() == "partitions");
  CHECK_THROWS(fixture.value("select pganalytics.points_to_hypertable()"));
  SECTION("nor does one that is too old") {
    fixture.add_extension("2.10.3");
    static_cast<void>(fixture.open_again());
    CHECK(fixture.kind() == "partitions");
    CHECK(fixture.calls().empty());
  }
}

TEST_CASE("where the extension is, points become a hypertable before there are any") {
  Hypertable fixture;
  const std::string id = fixture.enrol();
  fixture.add_extension();
  static_cast<void>(fixture.open_again());
  CHECK(fixture.kind() == "hypertable");
  CHECK(fixture.calls() == "create_hypertable pganalytics.points time 1 day f");
  CHECK(fixture.value("select count(*) from pganalytics.partitions where parent = 'points'") == "0");
  CHECK(fixture.value("select count(*) > 7 from pganalytics.partitions where parent = 'events'") == "t");
  static_cast<void>(fixture.open_again());
  CHECK(fixture.calls() == "create_hypertable pganalytics.points time 1 day f");
  // Of before: the view that was made over the partitions.
  fixture.push(id, 3);
  CHECK(fixture.kept(id) == "3");
}

TEST_CASE("points that are there stay where they are until somebody asks for the copy") {
  Hypertable fixture;
  const std::string id = fixture.enrol();
  for (const int days_ago : {1, 4, 20}) fixture.push(id, days_ago);
  fixture.add_extension();
  static_cast<void>(fixture.open_again());
  CHECK(fixture.kind() == "filled");
  CHECK(fixture.calls().empty());
  CHECK(fixture.kept(id) == "1 4 20");
  for (int time = 0; time < 2; ++time) fixture.server().sql(fixture.database(), "select pganalytics.points_to_hypertable()");
  CHECK(fixture.kind() == "hypertable");
  CHECK(fixture.calls() == "create_hypertable pganalytics.points time 1 day f");
  CHECK(fixture.kept(id) == "1 4 20");
  fixture.push(id, 2);
  CHECK(fixture.kept(id) == "1 2 4 20");
}

TEST_CASE("a family in a hypertable has its part of what the extension says that all take") {
  Hypertable fixture;
  fixture.add_extension();
  static_cast<void>(fixture.open_again());
  const std::string id = fixture.enrol();
  fixture.push(id, 3);
  const auto sizes = "select row(points, point_bytes, bytes)::text from pganalytics.family_sizes() where view = 'pg_table'";
  CHECK(fixture.value(sizes) == "(,0,0)");  // nothing came in the last day
  fixture.push(id, 0);
  CHECK(fixture.value(sizes) == "(,8000000,8000000)");
}

TEST_CASE("a hypertable forgets by chunks, and by rows what one collector keeps for less") {
  Hypertable fixture;
  fixture.add_extension();
  static_cast<void>(fixture.open_again());
  const std::string usual = fixture.enrol("usual"), brief = fixture.enrol("brief");
  for (const std::string& id : {usual, brief}) {
    for (const int days_ago : {1, 10, 25}) fixture.push(id, days_ago);
  }
  fixture.server().sql(fixture.database(),
                       "update pganalytics.points set time = time - interval '10 days', fields = fields where fields[2] = 25");
  must(fixture.store().put_config(brief, R"({"retention_days":5})"));
  const auto dropped = must(fixture.store().expire());
  CHECK(dropped.partition == "1 chunks of points");
  CHECK(fixture.kept(usual) == "1 10");
  CHECK(fixture.kept(brief) == "1 10");
  CHECK(must(fixture.store().expire()).points == 1);
  CHECK(fixture.kept(usual) == "1 10");
  CHECK(fixture.kept(brief) == "1");
  CHECK(must(fixture.store().expire()).points == 0);
  must(fixture.store().put_config(usual, R"({"retention_days":300})"));
  static_cast<void>(must(fixture.store().expire()));
  // Rows of what is gone are not taken, however long their collector keeps its own now: since the chunk that was dropped of all,
  // since the one whose rows went of one.
  must(fixture.store().put_config(brief, R"({"retention_days":300})"));
  const std::int64_t today = fixture.now / kDay * kDay;
  CHECK(must(fixture.store().oldest_kept_unix_ns(usual)) == today - 30 * kDay);
  CHECK(must(fixture.store().oldest_kept_unix_ns(brief)) == today - 9 * kDay);
  CHECK(fixture.calls().find("set_chunk_time_interval pganalytics.points 5 days") != std::string::npos);
}
