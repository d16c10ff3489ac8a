// Rows of pushes: what a family's view shows of them, and what is kept once.
#include "core/schema/family_rows.h"
#include "core/server/store/row_batch.h"
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::Push;
using server::store::PushResult;
using server::store::RowBatch;

namespace {

struct Rows : StoreFixture {
  Plugin plugin = add_plugin(store(), "disk", kTablesSchema);
  std::string id = enrol("db1");

  void push(std::uint64_t seq, const std::string& document, std::int64_t unix_ns = kStart) {
    push_rows(store(), plugin, id, seq, {document}, unix_ns);
  }
  std::string table(const std::string& columns, const std::string& where = "true") {
    return value("select string_agg(concat_ws('|', " + columns + "), ' ' order by time, name) from metrics.pg_table where " +
                 where);
  }
  std::string count(const std::string& table) { return value("select count(*) from pganalytics." + table); }
};

std::string one_table(const std::string& members) { return R"({"tables":[{)" + members + "}]}"; }

}  // namespace

TEST_CASE("a pushed document's rows are in its family's view when the push is answered") {
  Rows rows;
  rows.push(1, R"({"tables":[{"name":"a","owner":"me","size_bytes":9007199254740993,"scans":2,"definition":"d"},
                             {"name":"b","size_bytes":0.5}]})");
  CHECK(rows.table("collector, collector_id, name, owner, size_bytes, scans, definition") ==
        "db1|" + rows.id + "|a|me|9.007199254740992e+15|2|d db1|" + rows.id + "|b|0.5");
  CHECK(rows.value("select extract(epoch from min(time)) * 1000000000 = " + std::to_string(kStart) + " from metrics.pg_table") ==
        "t");
}

TEST_CASE("what is no number is null, and a row without any has no point") {
  Rows rows;
  rows.push(1, R"({"tables":[{"name":"a","size_bytes":null,"scans":3},{"name":"b","size_bytes":null,"scans":null},
                             {"name":"c","definition":"only"}]})");
  CHECK(rows.table("name, coalesce(size_bytes::text, 'null'), scans") == "a|null|3");
  CHECK(rows.count("points") == "1");
}

TEST_CASE("which buckets have new points is noted with them, for the roll-ups") {
  Rows rows;
  constexpr std::int64_t kBucket = 300 * kSecond;
  rows.push(1, one_table(R"("name":"a","scans":1)"), kStart);
  rows.push(2, R"({"tables":[{"name":"a","scans":2},{"name":"b","scans":2}]})", kStart + kBucket);
  rows.push(3, one_table(R"("name":"a","definition":"no field, no point")"), kStart + 2 * kBucket);
  const std::string bucket = std::to_string(kStart / kBucket * 300);
  CHECK(rows.value("select string_agg((extract(epoch from time) - " + bucket +
                   ")::bigint::text, ' ' order by time) from pganalytics.rollups_due where width_s = 300") == "0 300");
}

TEST_CASE("rows with the same labels are one series, whichever server stores them") {
  Rows rows;
  const auto other = rows.open_again();
  const Plugin there = add_plugin(*other, "disk", kTablesSchema);
  for (int i = 0; i < 3; ++i) {
    rows.push(static_cast<std::uint64_t>(1 + 2 * i), one_table(R"("name":"a","scans":)" + std::to_string(i)),
              kStart + i * kSecond);
    push_rows(*other, there, rows.id, static_cast<std::uint64_t>(2 + 2 * i), {one_table(R"("name":"a","scans":7)")},
              kStart + i * kSecond);
  }
  CHECK(rows.count("series") == "1");
  CHECK(rows.count("points") == "6");
  const std::string second = rows.enrol("db2");
  push_rows(rows.store(), rows.plugin, second, 1, {one_table(R"("name":"a","scans":1)")});
  CHECK(rows.count("series") == "2");
}

TEST_CASE("an absent label is not an empty one, and no label runs into the next") {
  Rows rows;
  rows.push(1, R"({"tables":[{"name":"a","scans":1},{"name":"a","owner":"","scans":2},{"name":"","owner":"a","scans":3},
                             {"name":"ab","owner":"c","scans":4},{"name":"a","owner":"bc","scans":5}]})");
  CHECK(rows.count("series") == "5");
  CHECK(rows.table("name, owner", "scans = 1") == "a");
}

TEST_CASE("hostile texts are kept as they are where PostgreSQL can, mended where not, and long ones cut") {
  Rows rows;
  rows.push(
      1, one_table(R"("name":"a\"{},\\\n\t'; drop table x; -- \u00e9NULL","owner":"NULL","scans":1,"definition":"\\N\"{NULL}")"));
  CHECK(
      rows.value(
          "select name = E'a\"{},\\\\\\n\\t''; drop table x; -- \u00e9NULL' and owner = 'NULL' and definition = E'\\\\N\"{NULL}' "
          "from metrics.pg_table") == "t");
  rows.push(2, one_table(R"("name":"zero\u0000byte","scans":2,"definition":"a\u0000b")"));
  CHECK(rows.table("name, definition", "scans = 2") == "zero\uFFFDbyte|a\uFFFDb");
  const std::string rest(70'000, 'x');
  rows.push(3, R"({"tables":[{"name":"1)" + rest + R"(","scans":3},{"name":"1)" + rest + R"(y","scans":3}]})");
  CHECK(rows.value("select count(distinct name) || ' ' || max(octet_length(name)) from metrics.pg_table where scans = 3") ==
        "2 1023");
}

TEST_CASE("facts are those of the newest row that has any") {
  Rows rows;
  rows.push(1, one_table(R"("name":"a","scans":1,"definition":"old")"));
  rows.push(2, one_table(R"("name":"a","scans":2)"), kStart + kSecond);
  CHECK(rows.table("definition") == "old old");
  rows.push(3, one_table(R"("name":"a","scans":3,"definition":"new")"), kStart + 2 * kSecond);
  rows.push(4, one_table(R"("name":"a","scans":4,"definition":"late")"), kStart + kSecond);  // from a backlog
  CHECK(rows.table("definition", "scans = 1") == "new");
  const std::string before = rows.value("select ctid::text from pganalytics.series");
  rows.push(5, one_table(R"("name":"a","scans":5,"definition":"new")"), kStart + 5 * kSecond);
  CHECK(rows.value("select ctid::text from pganalytics.series") == before);  // nothing is written for what is as it was
  rows.push(6, R"({"tables":[{"name":"a","scans":7,"definition":"x"},{"name":"a","scans":8,"definition":"y"}]})",
            kStart + 6 * kSecond);
  CHECK(rows.table("definition", "scans = 1") == "y");
  rows.push(7, one_table(R"("name":"a","scans":9,"definition":"z")"), kStart + 6 * kSecond);  // at the same time: the later push
  CHECK(rows.table("definition", "scans = 1") == "z");
}

TEST_CASE("a long fact is stored once, whoever has it") {
  Rows rows;
  const std::string long_text(2'000, 'q'), short_text(512, 's');
  const std::string second = rows.enrol("db2");
  for (const std::string& id : {rows.id, second}) {
    push_rows(rows.store(), rows.plugin, id, 1,
              {R"({"tables":[{"name":"a","scans":1,"definition":")" + long_text + R"("},{"name":"b","scans":1,"definition":")" +
               long_text + R"("},{"name":"c","scans":1,"definition":")" + short_text + R"("}]})"});
  }
  CHECK(rows.count("texts") == "1");
  CHECK(rows.value("select count(*) from metrics.pg_table where definition = '" + long_text + "'") == "4");
  CHECK(rows.value("select count(*) from metrics.pg_table where definition = '" + short_text + "'") == "2");
}

TEST_CASE("events are found with their labels and whole, but for what jsonb does not take") {
  Rows rows;
  rows.push(
      1,
      R"({"errors":[{"scope":"a\tb","message":"m\\","value":1.50},{"scope":"half","message":"x\u0000y\udc00z\ud83d\ude00"}]})");
  CHECK(rows.value("select string_agg(concat_ws('|', collector, scope, event ->> 'message', event ->> 'value'), ' ' order by id) "
                   "from metrics.disk_errors") == "db1|a\tb|m\\|1.50 db1|half|x\uFFFDy\uFFFDz\U0001F600");
  for (const char* number :
       {"1e-99999", "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"}) {
    RowBatch batch(rows.id);
    const Plugin& plugin = rows.plugin;
    schema::FamilyRows reader(plugin.families);
    const auto read = reader.read(R"({"errors":[{"scope":"a","value":)" + std::string(number) + "}]}",
                                  [&](const schema::FamilyRow& row) { return batch.add(plugin.stored[row.family], row, 0); });
    REQUIRE_FALSE(read);
    CHECK(read.error().code == "bad_event");
  }
}

TEST_CASE("a push that comes again, or is not committed, adds no row") {
  Rows rows;
  const std::vector<std::string> documents{one_table(R"("name":"a","scans":1)")};
  push_rows(rows.store(), rows.plugin, rows.id, 1, documents);
  const auto again = rows_of(rows.plugin, rows.id, documents, kStart);
  Push push = push_of(rows.id, 1, documents);
  push.rows = again.get();
  CHECK(must(rows.store().push(push)).kind == PushResult::Kind::kDuplicate);
  CHECK(rows.count("points") == "1");

  // The collector is revoked while its push is on its way: the series that it made are not known afterwards.
  REQUIRE(rows.store().revoke_collector(rows.id));
  const auto late = rows_of(rows.plugin, rows.id, {one_table(R"("name":"new","scans":1)")}, kStart);
  push = push_of(rows.id, 2, documents);
  push.rows = late.get();
  CHECK(rows.store().push(push).error().status == PGA_E_DENIED);
  CHECK(rows.count("series") == "1");
}

TEST_CASE("a series that was forgotten is made again by the next day's first row") {
  Rows rows;
  rows.push(1, one_table(R"("name":"a","scans":1)"));
  // As the cache knows it on the day after: not seen today.
  const auto fresh = rows.open_again();
  rows.server().sql(rows.database(), "update pganalytics.series set seen_at = now() - interval '2 days'");
  const Plugin plugin = add_plugin(*fresh, "disk", kTablesSchema);
  push_rows(*fresh, plugin, rows.id, 2, {one_table(R"("name":"a","scans":2)")});
  CHECK(rows.value("select seen_at > now() - interval '1 minute' from pganalytics.series") == "t");
  rows.server().sql(rows.database(), "delete from pganalytics.series");
  const auto another = rows.open_again();
  push_rows(*another, plugin, rows.id, 3, {one_table(R"("name":"a","scans":3)")});
  CHECK(rows.table("scans") == "3");
}

TEST_CASE("pushes of many collectors and servers at once make each series once") {
  Rows rows;
  const std::string second = rows.enrol("db2");
  const auto other = rows.open_again();
  std::string document = R"({"tables":[)";
  for (int i = 0; i < 200; ++i)
    document += (i == 0 ? "" : ",") + std::string(R"({"name":"t)") + std::to_string(i) + R"(","scans":1,"definition":")" +
                std::string(600, static_cast<char>('a' + i % 20)) + "\"}";
  document += "]}";
  together(8, [&](int i) {
    push_rows(i % 2 == 0 ? rows.store() : *other, rows.plugin, i % 4 < 2 ? rows.id : second, static_cast<std::uint64_t>(i + 1),
              {document}, kStart + i * kSecond);
  });
  CHECK(rows.count("series") == "400");
  CHECK(rows.count("points") == "1600");
  CHECK(rows.count("texts") == "20");
}

TEST_CASE("what does not fit is taken back, and the documents before it stay") {
  Rows rows;
  RowBatch batch(rows.id);
  schema::FamilyRows reader(rows.plugin.families);
  const auto add = [&](const std::string& document) {
    return reader.read(
        document, [&](const schema::FamilyRow& row) { return batch.add(rows.plugin.stored[row.family], row, kStart / 1'000); });
  };
  REQUIRE(add(one_table(R"("name":"a","scans":1)")));
  const auto mark = batch.mark();
  REQUIRE_FALSE(add(R"({"tables":[{"name":"a","definition":"not to be kept"},{"name":"b","scans":1}],)"
                    R"("errors":[{"scope":"x","value":1e-99999}]})"));
  batch.take_back(mark);
  REQUIRE(add(R"({"tables":[{"name":"b","scans":2}]})"));
  Push push = push_of(rows.id, 1, {});
  push.rows = &batch;
  must(rows.store().push(push));
  CHECK(rows.table("name, scans, definition") == "a|1 b|2");
  CHECK(rows.count("events") == "0");
}
