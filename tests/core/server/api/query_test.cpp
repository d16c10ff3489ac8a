// Fields over time: what is chosen, what is made of it, what is refused.
#include <algorithm>
#include <fstream>
#include <map>

#include "core/clock/clock.h"
#include "tests/core/server/api/viewed_rows.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

constexpr std::int64_t kStart = 1'770'091'200;  // 2026-02-03T04:00:00Z

std::string at(std::int64_t unix_s) { return clock::format_rfc3339(unix_s * 1'000'000'000); }

struct Fixture : ViewedRows {
  std::string family =
      rows.family("pg_table", {"schema_name", "table_name"},
                  {{"n_live_tup", "gauge", "{row}"}, {"seq_scan", "counter", ""}, {"size_bytes", "updown", "By"}});

  http::Response get(const std::string& query) { return ViewedRows::get("/api/v1/query?" + query); }
  // Two minutes from kStart on, in steps of 30 s.
  http::Response ask(const std::string& query, std::int64_t from = kStart, std::int64_t to = kStart + 120) {
    return get("family=pg_table&step=30s&from=" + at(from) + "&to=" + at(to) + "&" + query);
  }
  // "[1.0,null] [2.0]": the values of each series.
  std::string values(const http::Response& response) {
    INFO(response.body);
    REQUIRE(response.status == 200);
    std::string all, rest = response.body;
    for (auto begin = rest.find("\"values\":"); begin != std::string::npos; begin = rest.find("\"values\":")) {
      rest = rest.substr(begin + 9);
      all += (all.empty() ? "" : " ") + rest.substr(0, rest.find(']') + 1);
    }
    return all;
  }
  std::string values_of(const std::string& query) { return values(ask(query)); }
};

}  // namespace

TEST_CASE("a series comes with its labels, whose it is, and a value for each step") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.points(id, kStart, 15, 4, "i * 10, 100 + i * 30, null");
  const auto answer = fixture.ask("field=n_live_tup,seq_scan");
  CHECK(answer.body ==
        R"({"family":"pg_table","from":"2026-02-03T04:00:00.000Z","to":"2026-02-03T04:02:00.000Z","step_seconds":30,)"
        R"("series":[{"field":"n_live_tup","unit":"{row}","agg":"avg","collector":{"id":")" +
            fixture.db1 + R"(","name":"db1"},"labels":{"schema_name":"public","table_name":"orders"},)" +
            R"("values":[5.0,25.0,30.0,30.0]},{"field":"seq_scan","unit":null,"agg":"rate","collector":{"id":")" + fixture.db1 +
            R"(","name":"db1"},"labels":{"schema_name":"public","table_name":"orders"},)" + R"("values":[1.0,2.0,null,null]}]})");
  CHECK(fixture.values_of("field=size_bytes") == "[null,null,null,null]");
}

TEST_CASE("each aggregate over the samples of a step") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.points(id, kStart, 10, 6, "(array[5, 1, 3, 10, 30, 20])[i + 1], i, null");
  for (const auto& [aggregate, values] :
       std::initializer_list<std::pair<const char*, const char*>>{{"avg", "[3.0,20.0,20.0,20.0]"},
                                                                  {"min", "[1.0,10.0,20.0,20.0]"},
                                                                  {"max", "[5.0,30.0,20.0,20.0]"},
                                                                  {"sum", "[9.0,60.0,null,null]"},
                                                                  {"last", "[3.0,20.0,20.0,20.0]"},
                                                                  {"quantile(0.5)", "[3.0,20.0,20.0,20.0]"},
                                                                  {"quantile(1)", "[5.0,30.0,20.0,20.0]"},
                                                                  {"quantile(0.25)", "[2.0,15.0,20.0,20.0]"}}) {
    CAPTURE(aggregate);
    CHECK(fixture.values_of(std::string("field=n_live_tup&agg=") + aggregate) == values);
  }
  CHECK(fixture.values_of("field=n_live_tup&hold=30s") == "[3.0,20.0,20.0,null]");
  CHECK(fixture.values_of("field=n_live_tup&hold=0s") == "[3.0,20.0,null,null]");
}

TEST_CASE("a counter that begins anew has grown by what it is, and is compared with the sample before the range") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.points(id, kStart - 30, 30, 5, "null, (array[100, 160, 30, 30, 90])[i + 1]");
  CHECK(fixture.values_of("field=seq_scan&agg=increase") == "[60.0,30.0,0.0,60.0]");
  CHECK(fixture.values_of("field=seq_scan") == "[2.0,1.0,0.0,2.0]");
  CHECK(fixture.values_of("field=seq_scan&agg=last") == "[160.0,30.0,30.0,90.0]");
  // From where it began, nothing is known before.
  CHECK(fixture.values(fixture.ask("field=seq_scan&agg=increase", kStart - 60, kStart + 30)) == "[null,null,60.0]");
  // A sample that lacks the field is none; one more than a day before is not compared.
  const std::string other = fixture.rows.series(fixture.family, fixture.db1, "'public', 'items'");
  fixture.rows.point(other, kStart - 86'000, "1, 500");
  fixture.rows.point(other, kStart - 60, "1, null");
  fixture.rows.point(other, kStart, "1, 700");
  fixture.rows.point(other, kStart + 90'000, "1, 900");
  CHECK(fixture.values_of("field=seq_scan&agg=increase&labels=table_name=%22items%22") == "[200.0,null,null,null]");
  const auto late = fixture.ask("field=seq_scan&agg=increase&labels=table_name=%22items%22", kStart + 90'000, kStart + 90'030);
  CHECK(fixture.values(late) == "[null]");
}

TEST_CASE("two samples of one time count in the order of their values") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  for (const char* fields : {"1, 100", "1, 100"}) fixture.rows.point(id, kStart, fields);
  for (const char* fields : {"9, 140", "5, 130"}) fixture.rows.point(id, kStart + 30, fields);
  CHECK(fixture.values_of("field=seq_scan&agg=increase") == "[0.0,40.0,null,null]");
  CHECK(fixture.values_of("field=n_live_tup&agg=last&hold=0s") == "[1.0,9.0,null,null]");
}

TEST_CASE("a series that ended is found by a question about its last hours") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.point(id, kStart, "7");
  // It is kept to the day, and what came late is of a day before.
  fixture.rows.sql("update pganalytics.series set seen_at = to_timestamp(" + std::to_string(kStart) + ") - interval '1 day'");
  CHECK(fixture.values_of("field=n_live_tup") == "[7.0,7.0,7.0,7.0]");
}

TEST_CASE("labels and collectors choose series") {
  Fixture fixture;
  int value = 0;
  for (const auto& [collector, labels] :
       std::initializer_list<std::pair<std::string, const char*>>{{fixture.db1, "'public', 'orders'"},
                                                                  {fixture.db1, "'public', 'ord_rs'"},
                                                                  {fixture.db1, "'audit', 'orders'"},
                                                                  {fixture.db2, "'public', 'orders'"},
                                                                  {fixture.db2, "null, E'it''s \"100%\" \\\\ \\u00e4'"},
                                                                  {fixture.db2, "'x'"}}) {
    fixture.rows.point(fixture.rows.series(fixture.family, collector, labels), kStart, std::to_string(++value));
  }
  const auto chosen = [&](const std::string& query) {
    std::string values = fixture.values(fixture.ask("field=n_live_tup&agg=sum&" + query, kStart, kStart + 30));
    for (const char c : {'[', ']', ' '}) values.erase(std::remove(values.begin(), values.end(), c), values.end());
    for (auto at = values.find(".0"); at != std::string::npos; at = values.find(".0")) values.erase(at, 2);
    return values;
  };
  CHECK(chosen("") == "123456");
  CHECK(chosen("collector=db1") == "123");
  CHECK(chosen("collector=" + fixture.db2) == "456");
  CHECK(chosen("labels=table_name=%22orders%22") == "134");
  CHECK(chosen("labels=table_name=%22orders%22,schema_name!=%22audit%22") == "14");
  CHECK(chosen("labels=table_name=%22%22") == "6");  // it has none
  CHECK(chosen("labels=schema_name=%22%22") == "5");
  CHECK(chosen("labels=schema_name=%22orders%22") == "");  // another label's value
  CHECK(chosen("labels=table_name~%22ord*%22") == "1234");
  CHECK(chosen("labels=table_name~%22ord_*%22") == "2");
  CHECK(chosen("labels=table_name~%22ord?rs%22") == "1234");
  CHECK(chosen("labels=table_name!~%22ord*%22") == "56");
  CHECK(chosen("labels=table_name=%22it's%20%5C%22100%25%5C%22%20%5C%5C%20%C3%A4%22") == "5");
  CHECK(chosen("labels=table_name~%22*100%25*%22") == "5");
  CHECK(chosen("labels=table_name=%22x';drop%20table%20pganalytics.points;--%22") == "");
  CHECK(chosen("labels=table_name~%22%25%22") == "");
}

TEST_CASE("many series become few by their labels") {
  Fixture fixture;
  int value = 0;
  for (const auto& [collector, labels] : std::initializer_list<std::pair<std::string, const char*>>{
           {fixture.db1, "'a', 'x'"}, {fixture.db1, "'a', 'y'"}, {fixture.db1, "'b', 'x'"}, {fixture.db2, "'a', 'x'"}}) {
    fixture.rows.point(fixture.rows.series(fixture.family, collector, labels), kStart, std::to_string(++value));
  }
  const auto answer = parsed(fixture.ask("field=n_live_tup&by=schema_name&group=sum", kStart, kStart + 30));
  REQUIRE(answer["series"].Size() == 2);
  const auto& first = answer["series"][0];
  CHECK(first["labels"]["schema_name"] == "a");
  CHECK(first["labels"].MemberCount() == 1);
  CHECK(first["collector"].IsNull());
  CHECK(first["group"] == "sum");
  CHECK(first["members"] == 3);
  CHECK(first["values"][0] == 7.0);
  CHECK(fixture.values(fixture.ask("field=n_live_tup&by=schema_name&group=avg&hold=0s", kStart, kStart + 30)) ==
        "[2.3333333333333337] [3.0]");
  CHECK(fixture.values(fixture.ask("field=n_live_tup&group=max", kStart, kStart + 30)) == "[4.0]");
  const auto by_collector = parsed(fixture.ask("field=n_live_tup&by=collector", kStart, kStart + 30));
  REQUIRE(by_collector["series"].Size() == 2);
  CHECK(by_collector["series"][0]["collector"]["id"].GetString() == std::min(fixture.db1, fixture.db2));
  std::map<std::string, double> sums;
  for (const auto& each : by_collector["series"].GetArray())
    sums[each["collector"]["name"].GetString()] = each["values"][0].GetDouble();
  CHECK(sums == std::map<std::string, double>{{"db1", 6}, {"db2", 4}});
  // The limit is of what comes out.
  CHECK(fixture.ask("field=n_live_tup&by=schema_name&limit=2").status == 200);
  CHECK(error_code(fixture.ask("field=n_live_tup&by=schema_name&limit=1")) == "too_many_series");
}

TEST_CASE("numbers that JSON or a sum cannot hold are no values, and break nothing") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.point(id, kStart, "'NaN', 'NaN'");
  fixture.rows.point(id, kStart + 1, "'Infinity', '-Infinity'");
  fixture.rows.point(id, kStart + 2, "1.7e308, -1.7e308");
  fixture.rows.point(id, kStart + 3, "1.7e308, 1.7e308");
  fixture.rows.point(id, kStart + 4, "8, 8");
  CHECK(fixture.values_of("field=n_live_tup&agg=sum") == "[8.0,null,null,null]");
  CHECK(fixture.values_of("field=n_live_tup&agg=quantile(0.5)&hold=0s") == "[8.0,null,null,null]");
  CHECK(fixture.values_of("field=seq_scan&agg=increase") == "[null,null,null,null]");
}

TEST_CASE("what cannot be answered is refused, and the parameter is named") {
  Fixture fixture;
  const auto refuses = [&](const std::string& query, int status, const std::string& begin) {
    CAPTURE(query);
    const auto answer = fixture.get(query);
    CHECK(answer.status == status);
    INFO(answer.body);
    CHECK(error_message(answer).rfind(begin, 0) == 0);
  };
  const std::string good = "family=pg_table&field=n_live_tup";
  refuses("field=n_live_tup", 400, "family: is missing");
  refuses("family=pg_table", 400, "field: is missing");
  refuses("family=pg_tabel&field=n_live_tup", 404, "there is no family of this name; did you mean \"pg_table\"?");
  refuses("family=pg_table&field=n_live", 400, "field: pg_table has no field \"n_live\"");
  refuses("family=pg_table&field=n_live_tip", 400, "field: pg_table has no field \"n_live_tip\"; did you mean \"n_live_tup\"?");
  refuses("family=pg_table&field=n_live_tup,", 400, "field: ");
  refuses("family=pg_table&field=a,b,c,d,e,f,g,h,i,j,k", 400, "field: names more than 10");
  refuses(good + "&field=size_bytes", 400, "field: given twice");
  refuses(good + "&labels=schema=%22x%22", 400, "labels: pg_table has no label \"schema\"");
  refuses(good + "&labels=shcema_name=%22x%22", 400,
          "labels: pg_table has no label \"shcema_name\"; did you mean \"schema_name\"?");
  refuses(good + "&labels=schema_name=x", 400, "labels: at character 13: ");
  refuses(good + "&labels=schema_name=~%22.*%22", 400, "labels: ");
  refuses(good + "&labels=schema_name=%22" + std::string(2'048, 'x') + "%22", 400, "labels: is longer than");
  refuses(good + "&collector=db9", 404, "there is no collector");
  refuses(good + "&from=2026-02-03T04:00:00Z&to=2026-02-03T04:00:00Z", 400, "from: ");
  refuses(good + "&from=2026-02-03T04:00:01Z&to=2026-02-03T04:00:00Z", 400, "from: ");
  refuses(good + "&from=2020-01-01T00:00:00Z&to=2026-02-03T04:00:00Z", 400, "from: the range is longer than 400 days");
  refuses(good + "&from=2026-02-03T00:00:00Z&to=2026-02-03T04:00:00Z&step=1s", 400, "step: gives 14400 steps");
  refuses(good + "&from=NaN", 400, "from: ");
  refuses(good + "&step=0s", 400, "step: ");
  refuses(good + "&step=500ms", 400, "step: ");
  refuses(good + "&step=1500ms", 400, "step: ");
  refuses(good + "&step=60", 400, "step: ");
  refuses(good + "&step=999d", 400, "step: ");
  refuses(good + "&hold=2d", 400, "hold: ");
  refuses(good + "&agg=rate", 400, "agg: is not for a gauge");
  refuses("family=pg_table&field=seq_scan&agg=avg", 400, "agg: is not for a counter");
  refuses(good + "&agg=quantile(NaN)", 400, "agg: ");
  refuses(good + "&by=schema", 400, "by: pg_table has no label \"schema\"");
  refuses(good + "&by=table_nam", 400, "by: pg_table has no label \"table_nam\"; did you mean \"table_name\"?");
  refuses(good + "&group=median", 400, "group: ");
  refuses(good + "&limit=0", 400, "limit: ");
  refuses(good + "&colour=red", 400, "colour: unknown parameter");
  fixture.rows.family("logs_entries", {"severity"}, {}, "logs", true);
  refuses("family=logs_entries&field=x", 400, "family: logs_entries has events");
}

TEST_CASE("more series or values than an answer has are refused with what to do") {
  Fixture fixture;
  fixture.rows.sql("insert into pganalytics.series (collector_id, family_id, labels, digest) select '" + fixture.db1 + "', " +
                   fixture.family + ", array['public', 't' || i], decode(md5(i::text), 'hex') from generate_series(1, 1001) i");
  CHECK(error_code(fixture.ask("field=n_live_tup")) == "too_many_series");
  CHECK(fixture.ask("field=n_live_tup&limit=1000").status == 422);
  CHECK(fixture.ask("field=n_live_tup&limit=1000&labels=table_name~%22t*1%22").status == 200);
  CHECK(fixture.ask("field=n_live_tup&limit=1&labels=table_name=%22t7%22").status == 200);
  CHECK(fixture.ask("field=n_live_tup&group=sum").status == 200);
  const auto wide =
      fixture.get("family=pg_table&field=n_live_tup&limit=1000&labels=table_name~%22t1*%22&step=10s&from=" + at(kStart) +
                  "&to=" + at(kStart + 20'000));
  CHECK(wide.status == 422);
  CHECK(error_code(wide) == "too_many_values");
  // 1,000 series with 200 steps each are what an answer has at most.
  const auto of_steps = [&](int steps, const std::string& more = "") {
    return fixture.get("family=pg_table&field=n_live_tup&limit=1000&labels=table_name!=%22t1001%22&step=10s&from=" + at(kStart) +
                       "&to=" + at(kStart + steps * 10) + more);
  };
  CHECK(parsed(of_steps(200))["series"].Size() == 1'000);
  CHECK(error_code(of_steps(201)) == "too_many_values");
  // Of groups what comes out counts.
  CHECK(of_steps(201, "&group=sum").status == 200);
  CHECK(of_steps(200, "&by=table_name").status == 200);
  CHECK(error_code(of_steps(201, "&by=table_name")) == "too_many_values");
}

TEST_CASE("a statement that takes too long is refused, and the server goes on") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.point(id, kStart, "1");
  // The error is that of statement_timeout.
  fixture.rows.sql(
      "create function pganalytics.slow(v float8) returns float8 language plpgsql as $$ begin"
      " raise exception 'canceling statement due to statement timeout' using errcode = 'query_canceled'; end $$;"
      " alter table pganalytics.points rename to points_before;"
      "create view pganalytics.points as select time, series_id, array[pganalytics.slow(fields[1])] as fields"
      " from pganalytics.points_before");
  const auto answer = fixture.ask("field=n_live_tup");
  CHECK(answer.status == 422);
  CHECK(error_code(answer) == "query_too_costly");
  CHECK(fixture.ask("field=n_live_tup", kStart - 600, kStart - 300).status == 200);
}

TEST_CASE("without a range it is the last hour, and the newest value is there") {
  Fixture fixture;
  const std::string id = fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'");
  fixture.rows.sql("insert into pganalytics.points values (now() - interval '5 minutes', " + id + ", '{42}')");
  const auto answer = parsed(fixture.get("family=pg_table&field=n_live_tup&agg=last"));
  CHECK(answer["step_seconds"] == 30);
  const auto values = answer["series"][0]["values"].GetArray();
  CHECK(values.Size() >= 120);
  CHECK(values.Size() <= 121);
  CHECK(values[values.Size() - 1] == 42.0);
}

TEST_CASE("every example of a query in docs/API.md is answered") {
  Fixture fixture;
  fixture.rows.point(fixture.rows.series(fixture.family, fixture.db1, "'public', 'orders'"), kStart, "1, 2, 3");
  std::ifstream file(PGANALYTICS_SOURCE_DIR "/docs/API.md");
  std::string line;
  int examples = 0;
  while (std::getline(file, line)) {
    const std::string begin = "GET /api/v1/query?";
    if (line.rfind(begin, 0) != 0) continue;
    ++examples;
    const auto answer = fixture.get(line.substr(begin.size()));
    CAPTURE(line);
    CHECK(answer.status == 200);
    CHECK(parsed(answer)["series"].Size() >= 1);
  }
  CHECK(examples >= 5);
}
