// Events read back: order, pages, what chooses them, what is refused.
#include <fstream>
#include <set>

#include "core/clock/clock.h"
#include "tests/core/server/api/viewed_rows.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

constexpr std::int64_t kStart = 1'770'091'200;  // 2026-02-03T04:00:00Z

struct Fixture : ViewedRows {
  std::string entries = rows.family("logs_entries", {"severity", "class", "database"}, {}, "logs", true);
  std::string errors = rows.family("disk_errors", {"code"}, {}, "disk", true);

  void entry(const std::string& collector, std::int64_t second, const std::string& labels, const std::string& message) {
    rows.event(entries, collector, kStart + second, labels, R"({"message":")" + message + "\"}");
  }
  http::Response get(const std::string& query) { return ViewedRows::get("/api/v1/events?" + query); }
  // Their messages, in order.
  std::string messages(const std::string& query) {
    const auto answer = get(query);
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    std::string all;
    const auto page = parsed(answer);
    for (const auto& event : page["events"].GetArray()) all += event["event"]["message"].GetString();
    return all;
  }
};

}  // namespace

TEST_CASE("events come newest first, with their time, family, collector and text") {
  Fixture fixture;
  fixture.entry(fixture.db1, 1, "'LOG', null, 'shop'", "a");
  fixture.entry(fixture.db2, 3, "'ERROR', 'lock.deadlock', 'shop'", "c");
  fixture.rows.event(fixture.errors, fixture.db1, kStart + 2, "'E1'",
                     R"({"n":12345678901234567890.5,"message":"b","nested":{"x":[1]}})");
  CHECK(fixture.messages("") == "cba");
  const auto one = fixture.get("family=disk_errors");
  CHECK(one.body == R"({"events":[{"time":"2026-02-03T04:00:02.000Z","family":"disk_errors","collector":{"id":")" + fixture.db1 +
                        R"(","name":"db1"},"event":{"n": 12345678901234567890.5, "nested": {"x": [1]}, "message": "b"}}]})");
}

TEST_CASE("collector, class, severity, labels, text and time choose") {
  Fixture fixture;
  fixture.entry(fixture.db1, 1, "'LOG', null, 'shop'", "a Duplicate Key");
  fixture.entry(fixture.db2, 2, "'ERROR', 'lock.deadlock', 'shop'", "b 100% _x");
  fixture.entry(fixture.db1, 3, "'ERROR', null, 'crm'", "c 100 zx");
  fixture.rows.event(fixture.errors, fixture.db1, kStart + 4, "'E1'", R"({"message":"d"})");
  const auto first_letters = [&](const std::string& query) {
    std::string letters;
    const auto page = parsed(fixture.get(query));
    for (const auto& event : page["events"].GetArray()) letters += event["event"]["message"].GetString()[0];
    return letters;
  };
  CHECK(first_letters("collector=db1") == "dca");
  CHECK(first_letters("collector=" + fixture.db2) == "b");
  CHECK(first_letters("severity=ERROR") == "cb");
  CHECK(first_letters("class=lock.deadlock") == "b");
  CHECK(first_letters("class=lock.deadlock&severity=LOG") == "");
  CHECK(first_letters("labels=database=%22shop%22") == "ba");
  CHECK(first_letters("labels=database!=%22shop%22") == "dc");  // of another family: it has none
  CHECK(first_letters("labels=database~%22*%22,code=%22%22") == "cba");
  CHECK(first_letters("labels=class=%22%22&family=logs_entries") == "ca");
  CHECK(first_letters("from=2026-02-03T04:00:02Z&to=2026-02-03T04:00:04Z") == "cb");
  const std::string since = "&from=2026-02-03T00:00:00Z&to=2026-02-04T00:00:00Z";
  CHECK(first_letters("text=duplicate%20KEY" + since) == "a");
  CHECK(first_letters("text=100%25" + since) == "b");
  CHECK(first_letters("text=_x" + since) == "b");
  CHECK(first_letters("text=';drop%20table%20pganalytics.events;--" + since) == "");
  CHECK(first_letters("text=message" + since) == "");  // the name of a member is no value
}

TEST_CASE("pages hold every event once, in order, while more arrive") {
  Fixture fixture;
  for (int i = 0; i < 12; ++i) fixture.entry(fixture.db1, i / 2, "'LOG'", std::to_string(i) + ",");
  std::string read, cursor;
  int pages = 0;
  do {
    const auto page = parsed(fixture.get("severity=LOG&limit=5" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& event : page["events"].GetArray()) read += event["event"]["message"].GetString();
    cursor = page.HasMember("next_cursor") ? page["next_cursor"].GetString() : "";
    fixture.entry(fixture.db1, 100, "'LOG'", "newer");
    fixture.entry(fixture.db1, 0, "'LOG'", "among those to come");
    REQUIRE(++pages < 10);
  } while (!cursor.empty());
  CHECK(read == "11,10,9,8,7,6,5,4,3,2,1,0,");
  CHECK(pages == 3);
}

TEST_CASE("a page of events may be larger than what is read at once") {
  Fixture fixture;
  fixture.rows.sql("insert into pganalytics.events (time, collector_id, family_id, labels, event) select to_timestamp(" +
                   std::to_string(kStart) + " + i), '" + fixture.db1 + "', " + fixture.entries +
                   ", '{LOG}', jsonb_build_object('i', i) from generate_series(1, 250) i");
  const auto page = parsed(fixture.get("limit=240"));
  CHECK(page["events"].Size() == 240);
  const auto rest = parsed(fixture.get("limit=5000&cursor=" + std::string(page["next_cursor"].GetString())));
  CHECK(rest["events"].Size() == 10);
  CHECK(rest["events"][9]["event"]["i"] == 1);
  CHECK_FALSE(rest.HasMember("next_cursor"));
}

TEST_CASE("malformed questions about events are refused, and the parameter is named") {
  Fixture fixture;
  fixture.entry(fixture.db1, 1, "'LOG'", "a");
  fixture.entry(fixture.db1, 2, "'LOG'", "b");
  fixture.rows.family("pg_table", {"x"}, {{"y", "gauge", ""}});
  const std::string cursor = parsed(fixture.get("limit=1"))["next_cursor"].GetString();
  CHECK(fixture.messages("limit=1&cursor=" + cursor) == "a");
  for (const auto& [query, status, begin] : std::initializer_list<std::tuple<std::string, int, const char*>>{
           {"limit=0", 400, "limit: "},
           {"from=yesterday", 400, "from: "},
           {"from=2026-02-03T04:00:01Z&to=2026-02-03T04:00:00Z", 400, "from: "},
           {"text=x", 400, "from: is missing"},
           {"text=x&from=2026-01-01T00:00:00Z&to=2026-02-03T04:00:00Z", 400, "from: the range is longer than 31 days"},
           {"labels=database", 400, "labels: at character 9"},
           {"labels=databse=%22x%22", 400, "labels: no such events have a label \"databse\"; did you mean \"database\"?"},
           {"labels=colour=%22x%22", 400, "labels: no such events have a label \"colour\""},
           {"labels=database=%22x%22&family=disk_errors", 400, "labels: no such events have a label"},
           {"family=pg_table", 400, "family: pg_table has no events"},
           {"family=none", 404, "there is no family of this name"},
           {"family=log_entries", 404, "there is no family of this name; did you mean \"logs_entries\"?"},
           {"collector=db9", 404, "there is no collector"},
           {"cursor=garbage", 400, "cursor: "},
           {"cursor=" + cursor + "&severity=LOG", 400, "cursor: "},
           {"cursor=" + cursor + "&collector=db1", 400, "cursor: "},
           {"colour=red", 400, "colour: "}}) {
    CAPTURE(query);
    const auto answer = fixture.get(query);
    CHECK(answer.status == status);
    CHECK(error_message(answer).rfind(begin, 0) == 0);
  }
}

TEST_CASE("every example of events in docs/API.md is answered") {
  Fixture fixture;
  fixture.rows.sql("insert into pganalytics.family_members (family_id, role, position, name, ordinal, column_name) values (" +
                   fixture.entries + ", 'label', 4, 'user', 99, 'user')");
  std::ifstream file(PGANALYTICS_SOURCE_DIR "/docs/API.md");
  std::string line;
  int examples = 0;
  while (std::getline(file, line)) {
    const std::string begin = "GET /api/v1/events?";
    if (line.rfind(begin, 0) != 0) continue;
    ++examples;
    CAPTURE(line);
    const auto answer = fixture.get(line.substr(begin.size()));
    CHECK(answer.status == 200);
  }
  CHECK(examples == 3);
}
