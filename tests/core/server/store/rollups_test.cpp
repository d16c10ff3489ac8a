// Roll-ups say what the points say, also of what comes late; they are made by one server at a time and forgotten in time.
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/postgres/connection.h"
#include "tests/core/server/series_by_sql.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::StepRow;
using server::store::StepsQuery;

namespace {

constexpr std::int64_t kDay = 86'400;
// Of six days ago: roll-ups are forgotten by the clock.
const std::int64_t kMidnight = clock::now_unix_ns() / 1'000'000'000 / kDay * kDay - 6 * kDay;

struct Archive : StoreFixture {
  SeriesBySql rows{server(), database()};
  std::string collector = enrol();
  std::string family = rows.family("pg_table", {"table_name"}, {{"size", "gauge", "By"}, {"scans", "counter", ""}});

  std::string add_series(const std::string& name) { return rows.series(family, collector, "'" + name + "'"); }
  // All points of the collector in [from, to) are to be rolled up, as ingest says.
  void note(std::int64_t from, std::int64_t to) {
    rows.sql("select pganalytics.note_points('" + collector +
             "', array_agg(time)) from pganalytics.points where time >= to_timestamp(" + std::to_string(from) +
             ") and time < to_timestamp(" + std::to_string(to) + ")");
  }
  void add_points(const std::string& series, std::int64_t from, std::int64_t step, int count, const std::string& fields) {
    rows.points(series, from, step, count, fields);
    note(from, from + step * count);
  }
  void roll_up() {
    while (must(store().roll_up()).more) {
    }
  }
  // As if nothing had ever been rolled up: what the points say.
  void forget_progress() { rows.sql("update pganalytics.rollup_progress set until = 'epoch'"); }
  void set_progress(std::int64_t until) {
    rows.sql("update pganalytics.rollup_progress set until = to_timestamp(" + std::to_string(until) + ")");
  }

  // What matters of each step: of a gauge not its growth, of a counter nothing else but the last value; of the step before the
  // range that there was one.
  std::vector<std::string> steps(const std::vector<std::string>& series, int field, std::int64_t from, std::int64_t to,
                                 std::int64_t step) {
    StepsQuery query;
    for (const std::string& id : series) query.series_ids.push_back(std::stoll(id));
    query.field = field;
    query.from_unix_s = from;
    query.to_unix_s = to;
    query.step_s = step;
    std::vector<std::string> all;
    for (const StepRow& row : must(store().steps(query))) {
      JsonWriter json;
      json.begin_array().value(row.series_id).value((row.time_unix_s - from) / step).value(row.last);
      if (row.time_unix_s >= from && field == 1) json.value(row.count).value(row.least).value(row.greatest).value(row.total);
      if (row.time_unix_s >= from && field == 2) json.value(row.growth);
      all.emplace_back(json.end_array().text());
    }
    return all;
  }

  // For gauges and counters, narrow and wide steps, with and without a seam between roll-ups and points.
  void check_same_as_points(const std::vector<std::string>& series, std::int64_t from, std::int64_t to) {
    for (const std::int64_t step : {300L, 900L, 3'600L, 7'200L, 86'400L}) {
      for (const int field : {1, 2}) {
        for (const std::int64_t seam : {to + kDay, from + (to - from) / 2, from + 300}) {
          CAPTURE(step, field, seam - from);
          forget_progress();
          const auto points = steps(series, field, from, to, step);
          CHECK_FALSE(points.empty());
          set_progress(seam - seam % 3'600);
          CHECK(steps(series, field, from, to, step) == points);
        }
      }
    }
  }
};

// Whole numbers, so that sums are exact; gaps of an hour and of two days, fields that are absent, a counter that begins anew.
constexpr char kWild[] = "case when i % 7 <> 3 then (i * 7919) % 1000 end, case when i % 5 <> 2 then (i * 31) % 4000 end";

std::string statement(const std::string& name, const std::vector<std::string>& values) {
  std::string text = files::read(std::string(PGANALYTICS_SOURCE_DIR) + "/core/server/store/queries/" + name).value();
  for (std::size_t i = values.size(); i > 0; --i) {
    const std::string parameter = "$" + std::to_string(i);
    for (auto at = text.find(parameter); at != std::string::npos; at = text.find(parameter))
      text.replace(at, parameter.size(), values[i - 1]);
  }
  return text;
}

}  // namespace

TEST_CASE("roll-ups give the same steps as points") {
  Archive archive;
  const std::string dense = archive.add_series("dense"), sparse = archive.add_series("sparse"),
                    other = archive.add_series("other");
  archive.add_points(dense, kMidnight + 7, 41, 1'000, kWild);
  archive.add_points(dense, kMidnight + 16 * 3'600, 61, 500, kWild);
  archive.add_points(dense, kMidnight + 3 * kDay, 61, 500, kWild);
  archive.add_points(sparse, kMidnight + 100, 1'300, 150, kWild);
  archive.add_points(other, kMidnight + kDay, 300, 100, "null, i");
  const std::string idle = archive.add_series("idle");
  archive.add_points(idle, kMidnight, 60, 60, "7, 500");
  // A little less, and a little more than a day apart, in the same two buckets.
  const std::string daily = archive.add_series("daily"), weekly = archive.add_series("weekly"), even = archive.add_series("even");
  for (const std::string& each : {daily, weekly, even}) archive.add_points(each, kMidnight + 10, 60, 1, "1, 100");
  archive.add_points(even, kMidnight + kDay + 10, 60, 1, "1, 300");
  archive.add_points(daily, kMidnight + kDay + 9, 60, 1, "1, 300");
  archive.add_points(weekly, kMidnight + kDay + 11, 60, 1, "1, 300");
  // Two samples of one time, as two pushes may bring them.
  const std::string twice = archive.add_series("twice"), twice_at_the_end = archive.add_series("twice at the end");
  for (const char* fields : {"i + 5, i * 10 + 3", "i, i * 10"}) archive.add_points(twice, kMidnight + 100, 300, 100, fields);
  archive.add_points(twice, kMidnight + 200, 300, 100, "i, i * 10 + 5");
  for (const char* fields : {"i + 5, null", "i, null"}) archive.add_points(twice_at_the_end, kMidnight + 200, 300, 100, fields);
  archive.roll_up();
  CHECK(archive.value("select count(*) from pganalytics.rollups_due") == "0");
  archive.check_same_as_points({dense, sparse, other, daily, weekly, even, twice, twice_at_the_end, idle}, kMidnight,
                               kMidnight + 4 * kDay);
  archive.check_same_as_points({dense, sparse}, kMidnight + 13 * 3'600, kMidnight + 22 * 3'600);
}

TEST_CASE("a range begins with its first second and ends before its last, and a day before it is looked for what was known") {
  Archive archive;
  const std::int64_t from = kMidnight + kDay, to = from + 3'600;
  const std::string within = archive.add_series("within"), before = archive.add_series("before"),
                    older = archive.add_series("older");
  for (const std::int64_t time : {from, to - 1, to}) archive.add_points(within, time, 1, 1, "1, 1");
  archive.add_points(before, from - kDay, 1, 1, "1, 1");
  archive.add_points(older, from - kDay - 1, 1, 1, "1, 1");
  archive.roll_up();
  // Which steps of five minutes, from `from` on.
  const auto steps_of = [&](const std::string& series, std::optional<double> quantile) {
    StepsQuery query;
    query.series_ids = {std::stoll(series)};
    query.field = 1;
    query.from_unix_s = from;
    query.to_unix_s = to;
    query.step_s = 300;
    query.quantile = quantile;
    std::vector<std::int64_t> steps;
    for (const StepRow& row : must(archive.store().steps(query))) steps.push_back((row.time_unix_s - from) / 300);
    return steps;
  };
  for (const bool from_rollups : {false, true}) {
    archive.forget_progress();
    if (from_rollups) archive.set_progress(to + kDay);
    for (const std::optional<double> quantile : {std::optional<double>(), std::optional<double>(0.5)}) {
      CAPTURE(from_rollups, quantile.has_value());
      CHECK(steps_of(within, quantile) == std::vector<std::int64_t>{0, 11});
      CHECK(steps_of(before, quantile) == std::vector<std::int64_t>{-288});
      CHECK(steps_of(older, quantile).empty());
    }
  }
}

TEST_CASE("a series that ended is rolled up to its last sample") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.add_points(series, kMidnight + 23 * 3'600, 300, 12, "i, i");
  // It is kept to the day, and what came late is of a day before.
  archive.rows.sql("update pganalytics.series set seen_at = to_timestamp(" + std::to_string(kMidnight - kDay) + ")");
  archive.roll_up();
  CHECK(archive.value("select string_agg(width_s || ' ' || n, ', ' order by width_s) from (select width_s, count(*) as n from "
                      "pganalytics.rollups group by width_s) rolled") == "300 12, 3600 1");
}

TEST_CASE("what comes late is rolled up again, and so is what grew since it") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.add_points(series, kMidnight, 60, 60, "i, i * 10");
  archive.add_points(series, kMidnight + 6 * 3'600, 60, 60, "i, 5000 + i * 10");
  archive.roll_up();
  // A backlog, the newest first, and some that its buckets had in part.
  archive.add_points(series, kMidnight + 3 * 3'600, 60, 60, "i, 3000 + i");
  archive.roll_up();
  archive.add_points(series, kMidnight + 3'600, 60, 60, "i, 1000 + i");
  archive.add_points(series, kMidnight + 30, 60, 60, "i * 2, i * 10 + 3");
  archive.roll_up();
  archive.check_same_as_points({series}, kMidnight, kMidnight + 8 * 3'600);
}

TEST_CASE("what a push that was still open adds is rolled up once it is there") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.add_points(series, kMidnight, 60, 5, "i, i");
  auto connection = must(postgres::Connection::open(archive.conninfo(), {}, postgres::deadline_in(std::chrono::seconds(30))));
  const auto run = [&](const std::string& sql) {
    must(connection.execute(sql, postgres::deadline_in(std::chrono::seconds(30))));
  };
  run("begin");
  run("insert into pganalytics.points values (to_timestamp(" + std::to_string(kMidnight + 30) + "), " + series +
      ", '{100,100}')");
  run("select pganalytics.note_points('" + archive.collector + "', array[to_timestamp(" + std::to_string(kMidnight + 30) + ")])");
  archive.roll_up();
  CHECK(archive.value("select hi[1] from pganalytics.rollups where width_s = 300") == "4");
  run("commit");
  archive.roll_up();
  CHECK(archive.value("select hi[1] from pganalytics.rollups where width_s = 300") == "100");
}

TEST_CASE("a bucket waits until it is over and what was on its way has come") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.rows.sql("insert into pganalytics.points values (now(), " + series + ", '{1,1}'), (now() + interval '2 days', " +
                   series + ", '{1,1}'); select pganalytics.note_points('" + archive.collector +
                   "', array[now(), now() + interval '2 days'])");
  archive.roll_up();
  CHECK(archive.value("select count(*) from pganalytics.rollups") == "0");
  CHECK(archive.value("select count(*) from pganalytics.rollups_due") == "2");
  CHECK(archive.value("select until <= now() - interval '1 minute' and until > now() - interval '7 minutes'"
                      " from pganalytics.rollup_progress where width_s = 300") == "t");
  CHECK(archive.value(
            "select until = date_bin('1 hour', until, 'epoch') from pganalytics.rollup_progress where width_s = 3600") == "t");
}

TEST_CASE("a bucket of one sample is that sample, and of counters only what they say is kept") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.add_points(series, kMidnight, 300, 2, "i + 8, i * 5");
  archive.add_points(series, kMidnight + 600, 100, 3, "i + 8, 10 + i * 5");
  archive.roll_up();
  CHECK(archive.value(
            "select string_agg(row(last, growth, n, lo, hi, total)::text, ' ' order by time) from pganalytics.rollups where "
            "width_s = 300") ==
        R"(("{8,0}",,,,,) ("{9,5}","{NULL,5}",,,,) ("{10,20}","{NULL,15}","{3,3}","{8,NULL}","{10,NULL}","{27,NULL}"))");
}

TEST_CASE("numbers beyond what sums can hold do not stop it") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.rows.sql("insert into pganalytics.points select to_timestamp(" + std::to_string(kMidnight) + " + i), " + series +
                   ", array[v, v]::float8[] from unnest('{1.7e308,1.7e308,-1.7e308,NaN,Infinity,-Infinity,7}'::float8[]) with "
                   "ordinality u (v, i)");
  archive.note(kMidnight, kMidnight + 300);
  archive.roll_up();
  CHECK(archive.value("select row(n, total, last) from pganalytics.rollups where width_s = 3600") ==
        R"(("{1,1}","{7,NULL}","{7,7}"))");
}

TEST_CASE("rounds are bounded, and several servers do the work once") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.add_points(series, kMidnight, 60, 600, "i, i");
  CHECK(archive.value("select pganalytics.roll_up(0)") == "t");
  CHECK(archive.value("select count(*) from pganalytics.rollups") == "0");
  const auto other = archive.open_again();
  together(6, [&](int i) { must((i % 2 == 0 ? archive.store() : *other).roll_up()); });
  archive.roll_up();
  archive.check_same_as_points({series}, kMidnight, kMidnight + kDay);
}

TEST_CASE("partitions of roll-ups are made ahead and dropped in time, and what lies in none is forgotten") {
  Archive archive;
  archive.roll_up();
  CHECK(archive.value("select min(until) > (now() + interval '7 days')::date from (select max(until) as until from "
                      "pganalytics.rollup_partitions group by width_s) newest") == "t");
  const auto add = [&](int width, int days_ago) {
    archive.rows.sql("insert into pganalytics.rollups (width_s, time, series_id, last) values (" + std::to_string(width) +
                     ", now() - interval '" + std::to_string(days_ago) + " days', 1, '{1}')");
  };
  for (const int days_ago : {1, 80, 100}) add(300, days_ago);
  for (const int days_ago : {1, 390, 410}) add(3'600, days_ago);
  archive.roll_up();
  CHECK(archive.value(
            "select string_agg(n::text, ',' order by width_s) from (select width_s, count(*) as n from pganalytics.rollups "
            "group by width_s) kept") == "2,2");
  // A partition goes on the day when all in it is old enough, and no day before.
  for (const auto& [width, more_days, is_dropped] :
       std::initializer_list<std::tuple<int, int, bool>>{{300, 1, false}, {300, 0, true}, {3'600, 1, false}, {3'600, 0, true}}) {
    CAPTURE(width, more_days);
    CHECK(archive.value("select pganalytics.drop_rollup_partition(" + std::to_string(width) +
                        ", (now() at time zone 'UTC')::date - min(until) + " + std::to_string(more_days) +
                        ") is not null from pganalytics.rollup_partitions where width_s = " + std::to_string(width)) ==
          (is_dropped ? "t" : "f"));
  }
  CHECK(must(archive.store().roll_up({1, 1})).dropped_partition.find("rollups_300_until_") == 0);
}

TEST_CASE("a chart of 90 days reads thousands of rows, by index") {
  Archive archive;
  const std::string series = archive.add_series("t");
  archive.rows.sql(
      "insert into pganalytics.series (collector_id, family_id, labels, digest) select collector_id, family_id, array['x' || i], "
      "decode(md5('x' || i), 'hex') from pganalytics.series, generate_series(1, 50) i;"
      "insert into pganalytics.rollups (width_s, time, series_id, last, growth) select 3600, to_timestamp(" +
      std::to_string(kMidnight) +
      " + i * 3600), id, array[i, i], array[null, 1] from generate_series(0, 90 * 24 - 1) i, "
      "(select id from pganalytics.series) s; analyze pganalytics.rollups");
  const std::string plan =
      archive.value("explain (analyze, timing off, format json) " +
                    statement("steps_of_rollups.sql", {"'{" + series + "}'", "1", std::to_string(kMidnight),
                                                       std::to_string(kMidnight + 90 * kDay), "43200", "3600"}));
  INFO(plan);
  CHECK(plan.find("Seq Scan") == std::string::npos);
  CHECK(plan.find("\"Actual Rows\": 2160") != std::string::npos);
  CHECK(archive.steps({series}, 1, kMidnight, kMidnight + 90 * kDay, 43'200)
            .empty());  // nothing is rolled up yet, says the progress
  archive.set_progress(kMidnight + 90 * kDay);
  CHECK(archive.steps({series}, 1, kMidnight, kMidnight + 90 * kDay, 43'200).size() == 180);
}

TEST_CASE("what lies on the disk is divided among families by their rows, points, roll-ups and events each for themselves") {
  Archive archive;
  const std::string often = archive.add_series("often");
  const std::string other = archive.rows.family("pg_index", {"index_name"}, {{"size", "gauge", "By"}, {"scans", "counter", ""}});
  const std::string rare = archive.rows.series(other, archive.collector, "'rare'");
  const std::string tales = archive.rows.family("tales", {"class"}, {}, "logs", true);
  archive.add_points(often, kMidnight, 60, 3'000, "i, i");
  for (int i = 0; i < 3; ++i) archive.rows.event(tales, archive.collector, kMidnight + i, "'x'", R"({"message":"m"})");
  archive.roll_up();
  archive.rows.points(rare, kMidnight, 60, 1'000, "i, i");
  const auto size_of = [&](const std::string& view) {
    for (const auto& size : must(archive.store().family_sizes())) {
      if (size.view == view) return size;
    }
    throw std::runtime_error("no family " + view);
  };
  const auto on_disk = [&](const std::string& table) {
    return std::stoll(
        archive.value("select sum(pg_total_relation_size(relid)) from pg_partition_tree('pganalytics." + table + "')"));
  };
  const auto table = size_of("pg_table"), index = size_of("pg_index"), events = size_of("tales");
  CHECK(std::abs(table.point_bytes + index.point_bytes - on_disk("points")) <= 2);
  CHECK(std::abs(table.point_bytes - 3 * index.point_bytes) <= 4);
  CHECK(table.rollup_bytes == on_disk("rollups"));
  CHECK(index.rollup_bytes == 0);
  CHECK(events.event_bytes == on_disk("events"));
  CHECK(events.bytes() == events.event_bytes);
  CHECK(table.series == 1);
  CHECK(must(archive.store().family_sizes()).front().view == "pg_table");
  CHECK(archive.value("select row(points, events)::text from pganalytics.family_sizes() where view = 'pg_table'") == "(3000,0)");
}
