// What is forgotten of rows and when: points, events, series, texts; and documents before them.
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

constexpr std::int64_t kHour = 3'600 * kSecond, kDay = 24 * kHour;

struct Aging : StoreFixture {
  Plugin plugin = add_plugin(store(), "disk", kTablesSchema);
  std::int64_t now = std::stoll(value("select extract(epoch from now())::bigint")) * kSecond;
  std::uint64_t seq = 0;

  // A point and an event of the collector so many days ago.
  void push(const std::string& id, int days_ago, const std::string& name = "a") {
    push_rows(store(), plugin, id, ++seq,
              {R"({"tables":[{"name":")" + name + R"(","scans":)" + std::to_string(days_ago) + R"(}],"errors":[{"scope":"x"}]})"},
              now - days_ago * kDay);
  }
  std::string kept(const std::string& id) {
    return value("select string_agg(scans::text, ' ' order by scans) from metrics.pg_table where collector_id = '" + id + "'");
  }
  std::string events(const std::string& id) {
    return value("select count(*) from metrics.disk_errors where collector_id = '" + id + "'");
  }
  void add_partition(int since_days_ago, int until_days_ago) {
    const std::string today = "(now() at time zone 'UTC')::date - ";
    for (const char* table : {"points", "events"}) {
      server().sql(database(), "select pganalytics.add_partition('" + std::string(table) + "', " + today +
                                   std::to_string(since_days_ago) + ", " + today + std::to_string(until_days_ago) + ")");
    }
  }
  server::store::Expired expire_all(server::store::Store& by) {
    server::store::Expired all;
    for (;;) {
      const auto round = must(by.expire());
      if (!round.any()) return all;
      all.partition += round.partition + " ";
      all.points += round.points;
      all.events += round.events;
      all.series += round.series;
      all.texts += round.texts;
      all.documents += round.documents;
    }
  }
};

}  // namespace

TEST_CASE("points and events lie in partitions of their day, which are dropped when they are over for all") {
  Aging aging;
  const std::string id = aging.enrol();
  aging.add_partition(32, 31);
  aging.add_partition(30, 29);
  for (const int days : {0, 10, 30}) aging.push(id, days);
  CHECK(aging.value("select count(*) from only pganalytics.points_default") == "0");
  aging.server().sql(aging.database(), R"(insert into pganalytics.points (time, series_id, fields)
    select pganalytics.midnight((now() at time zone 'UTC')::date - 32), 1, '{1}';
    insert into pganalytics.events (time, collector_id, family_id, labels, event)
    select pganalytics.midnight((now() at time zone 'UTC')::date - 32), collector_id, family_id, labels, event from pganalytics.events limit 1)");
  const auto gone = aging.expire_all(aging.store());
  CHECK(gone.partition.find("points_until_") == 0);
  CHECK(gone.partition.find("events_until_") != std::string::npos);
  CHECK(gone.points == 0);
  CHECK(aging.kept(id) == "0 10 30");
}

TEST_CASE("a collector that keeps less loses its own, of whole days, and nobody else's") {
  Aging aging;
  const std::string plain = aging.enrol("plain"), brief = aging.enrol("brief");
  REQUIRE(aging.store().put_config(brief, R"({"retention_days":3})"));
  for (const std::string& id : {plain, brief}) {
    for (const int days : {0, 2, 3, 4, 9}) aging.push(id, days);
  }
  const auto gone = aging.expire_all(aging.store());
  CHECK(gone.points == 2);
  CHECK(gone.events == 2);
  CHECK(aging.kept(brief) == "0 2 3");  // of the day in which three days ago lies, all
  CHECK(aging.events(brief) == "3");
  CHECK(aging.kept(plain) == "0 2 3 4 9");
  CHECK(aging.events(plain) == "5");
  CHECK_FALSE(must(aging.store().expire()).any());  // what was swept is not swept again
}

TEST_CASE("a day with many rows of a collector that keeps less goes in bounded rounds, to its last row") {
  Aging aging;
  const std::string brief = aging.enrol("brief"), plain = aging.enrol("plain");
  REQUIRE(aging.store().put_config(brief, R"({"retention_days":3})"));
  aging.push(brief, 0);
  aging.server().sql(
      aging.database(),
      "insert into pganalytics.points select pganalytics.midnight((now() at time zone 'UTC')::date - 5) + n * interval "
      "'1 second', s.id, '{1}' from generate_series(1, 20001) n, pganalytics.series s");
  CHECK(must(aging.store().expire()).points == 10'000);
  CHECK(aging.expire_all(aging.store()).points == 10'001);
  CHECK(aging.kept(brief) == "0");
}

TEST_CASE("rows are kept since when their collector's retention says, but not from days that were forgotten while it said less") {
  Aging aging;
  const std::string plain = aging.enrol("plain"), brief = aging.enrol("brief");
  REQUIRE(aging.store().put_config(brief, R"({"retention_days":3})"));
  const auto oldest_days = [&](const std::string& id) {
    return static_cast<double>(aging.now - must(aging.store().oldest_kept_unix_ns(id))) / kDay;
  };
  CHECK(oldest_days(plain) == Approx(30).margin(0.1));
  CHECK(oldest_days(brief) == Approx(3).margin(0.1));
  for (const std::string& id : {plain, brief}) {
    for (const int days : {0, 5, 9}) aging.push(id, days);
  }
  aging.expire_all(aging.store());
  REQUIRE(aging.store().put_config(brief, R"({"retention_days":20})"));
  CHECK(oldest_days(brief) > 3.9);  // the day of five days ago is gone, whole
  CHECK(oldest_days(brief) < 5.1);
  CHECK(oldest_days(plain) == Approx(30).margin(0.1));

  aging.add_partition(40, 39);
  REQUIRE(must(aging.store().expire()).partition.find("points_until_") == 0);
  REQUIRE(aging.store().put_config(plain, R"({"retention_days":90})"));
  CHECK(oldest_days(plain) > 38);  // a partition that is dropped goes for all
  CHECK(oldest_days(plain) < 40);
}

TEST_CASE("rows whose day has no partition are forgotten, too") {
  Aging aging;
  const std::string id = aging.enrol();
  aging.push(id, 29);
  aging.push(id, 31);
  aging.push(id, 33);
  const auto gone = aging.expire_all(aging.store());
  CHECK(gone.points == 2);
  CHECK(gone.events == 2);
  CHECK(aging.kept(id) == "29");
  aging.push(id, 40);  // what is older and goes later does not bring the newer back
  CHECK(aging.expire_all(aging.store()).points == 1);
  // From then on none is taken, however long the collector keeps its own now: a roll-up of that hour would be of what is left.
  REQUIRE(aging.store().put_config(id, R"({"retention_days":90})"));
  CHECK(must(aging.store().oldest_kept_unix_ns(id)) == (aging.now - 31 * kDay) / kHour * kHour + kHour);
}

TEST_CASE("an hour is kept whole or not at all, and rows are taken from a full hour on") {
  Aging aging;
  const std::string id = aging.enrol();
  // The hour in which 30 days ago lies: its beginning is older, its end is not.
  const std::string hour = "date_bin('1 hour', now() - interval '30 days', 'epoch')";
  push_rows(aging.store(), aging.plugin, id, 1, {R"({"tables":[{"name":"a","scans":1}]})"}, aging.now);
  aging.server().sql(aging.database(),
                     "insert into pganalytics.points select time, id, '{1}' from pganalytics.series, " + hour +
                         " hour, unnest(array[hour - interval '1 second', hour, hour + interval '3599 seconds']) time");
  aging.expire_all(aging.store());
  const auto left = aging.value("select string_agg(time || '', ' ') from pganalytics.points_default");
  CAPTURE(left);
  // None if the next hour has just begun.
  CHECK(aging.value("select count(*) in (0, 2) and min(extract(epoch from time)::bigint % 3600) is not distinct from "
                    "case when count(*) > 0 then 0 end from pganalytics.points_default") == "t");
  const std::int64_t oldest = must(aging.store().oldest_kept_unix_ns(id));
  CHECK(oldest % kHour == 0);
  CHECK(oldest >= aging.now - 30 * kDay);
  CHECK(oldest < aging.now - 30 * kDay + 2 * kHour);
}

TEST_CASE("a series is forgotten when no point of its can be left, a text when no series has it") {
  Aging aging;
  const std::string id = aging.enrol();
  const std::string used(600, 'u'), unused(600, 'x');
  push_rows(aging.store(), aging.plugin, id, 100,
            {R"({"tables":[{"name":"kept","scans":1,"definition":")" + used + R"("},{"name":"gone","scans":1,"definition":")" +
             unused + "\"}]}"},
            aging.now);
  const auto age = [&](int days) {
    aging.server().sql(aging.database(), "update pganalytics.series set seen_at = now() - interval '" + std::to_string(days) +
                                             " days' where labels[1] = 'gone'");
  };
  aging.server().sql(aging.database(), "update pganalytics.texts set used_at = now() - interval '8 days'");
  age(32);
  CHECK(aging.expire_all(aging.store()).series == 0);
  age(34);
  aging.server().sql(aging.database(), "update pganalytics.texts set used_at = now() - interval '8 days'");
  const auto gone = aging.expire_all(aging.store());
  CHECK(gone.series == 1);
  CHECK(gone.texts == 1);
  CHECK(aging.value("select text from pganalytics.texts") == used);
}

TEST_CASE("a series that charts of long ago still show is not forgotten with its points") {
  Aging aging;
  const std::string id = aging.enrol();
  for (const char* name : {"charted", "gone"}) {
    push_rows(aging.store(), aging.plugin, id, ++aging.seq, {R"({"tables":[{"name":")" + std::string(name) + R"(","scans":1}]})"},
              aging.now);
  }
  aging.server().sql(aging.database(),
                     "update pganalytics.series set seen_at = now() - interval '34 days';"
                     "insert into pganalytics.rollups (width_s, time, series_id, last) select 3600, date_bin('1 hour', now() - "
                     "interval '34 days', 'epoch'), id, '{1}' from pganalytics.series where labels[1] = 'charted'");
  CHECK(aging.expire_all(aging.store()).series == 1);
  CHECK(aging.value("select string_agg(labels[1], ' ') from pganalytics.series") == "charted");
}

TEST_CASE("documents may be kept for less than their rows") {
  Aging aging;
  const std::string id = aging.enrol(), brief = aging.enrol("brief");
  REQUIRE(aging.store().put_config(brief, R"({"retention_days":1})"));
  const auto store = must(server::store::Store::open({aging.conninfo(), 4, 2}));
  for (const std::string& each : {id, brief}) aging.push(each, 0);
  const auto age = [&](int hours) {
    aging.server().sql(aging.database(),
                       "update pganalytics.documents set received_at = now() - interval '" + std::to_string(hours) + " hours'");
  };
  age(23);
  CHECK(aging.expire_all(*store).documents == 0);
  age(48);
  CHECK(aging.expire_all(*store).documents == 1);  // of the one that keeps all for a day
  age(120);
  CHECK(aging.expire_all(*store).documents == 1);
  CHECK(aging.kept(id) == "0");
  CHECK(aging.kept(brief) == "0");
}
