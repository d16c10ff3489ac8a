// Reading back: order, pages, filters.
#include <set>

#include "core/schema/document_limits.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

struct Fixture {
  ApiUnderTest test;
  Collector collector = test.enrol();
  std::string viewer = test.key(store::Role::kViewer);
  int seq = 0;

  void push(const std::string& type, const std::string& timestamp) {
    auto request = ApiUnderTest::as(
        collector, ApiUnderTest::request("POST", "/api/v1/metrics/push",
                                         R"({"metrics":[{"type":")" + type + R"(","timestamp":")" + timestamp + "\"}]}"));
    request.headers["idempotency-key"] = std::string(kEpoch) + "." + std::to_string(++seq);
    REQUIRE(test.ask(request).status == 200);
  }
  http::Response get(const std::string& query) {
    return test.ask(
        ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/servers/" + collector.id + "/metrics?" + query)));
  }
};

std::string minute(int m) { return "2026-02-03T04:" + std::string(m < 10 ? "0" : "") + std::to_string(m) + ":00Z"; }

}  // namespace

TEST_CASE("newest first, filtered by type and time") {
  Fixture fixture;
  for (const int m : {3, 1, 2}) fixture.push("sysstat", minute(m));
  fixture.push("pg_logs", minute(4));
  const auto all = parsed(fixture.get(""));
  REQUIRE(all["metrics"].Size() == 4);
  CHECK(all["metrics"][0]["type"] == "logs");
  CHECK(all["metrics"][1]["timestamp"] == "2026-02-03T04:03:00.000Z");
  CHECK(all["metrics"][3]["timestamp"] == "2026-02-03T04:01:00.000Z");
  CHECK(parsed(fixture.get("type=sysstat"))["metrics"].Size() == 3);
  CHECK(parsed(fixture.get("type=logs"))["metrics"].Size() == 1);
  CHECK(parsed(fixture.get("type=pg_log"))["metrics"].Size() == 1);
  CHECK(fixture.get("type=never_heard_of").body == R"({"metrics":[]})");
  CHECK(fixture.get("type=%27;DROP%20TABLE%20x").body == R"({"metrics":[]})");
  CHECK(parsed(fixture.get("from=" + minute(2) + "&to=" + minute(4)))["metrics"].Size() == 2);  // [from, to)
}

TEST_CASE("pages together are everything, once, while more arrives") {
  Fixture fixture;
  for (int m = 10; m < 22; ++m) fixture.push("sysstat", minute(m / 2));  // pairs with one timestamp
  std::set<int> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = parsed(fixture.get("limit=5" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& row : page["metrics"].GetArray()) {
      const int seq = row["seq"].GetInt();
      if (seq <= 12) CHECK(seen.insert(seq).second);
    }
    cursor = page.HasMember("next_cursor") ? page["next_cursor"].GetString() : "";
    ++pages;
    fixture.push("sysstat", minute(59));  // newer than all pages: not in the ones to come
    REQUIRE(pages < 10);
  } while (!cursor.empty());
  CHECK(seen.size() == 12);
  CHECK(pages == 3);
}

TEST_CASE("a page may be larger than what is read at once") {
  Fixture fixture;
  for (int i = 0; i < 120; ++i) fixture.push("sysstat", minute(i % 60));
  const auto page = parsed(fixture.get("limit=110"));
  CHECK(page["metrics"].Size() == 110);
  REQUIRE(page.HasMember("next_cursor"));
  const auto rest = parsed(fixture.get("limit=5000&cursor=" + std::string(page["next_cursor"].GetString())));
  CHECK(rest["metrics"].Size() == 10);
  CHECK_FALSE(rest.HasMember("next_cursor"));
}

TEST_CASE("a page ends early when its documents are large, and the next one goes on there") {
  Fixture fixture;
  std::string large = R"({"type":"sysstat","timestamp":"2026-02-03T04:05:06Z","v":")";
  large += std::string(pganalytics::schema::kDocumentBytes - large.size() - 2, 'x') + "\"}";
  for (int push = 0; push < 3; ++push) {
    std::string body = R"({"metrics":[)" + large;
    for (int i = 1; i < 7; ++i) body += "," + large;
    const auto answer =
        fixture.test.ask(ApiUnderTest::as(fixture.collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", body + "]}")));
    REQUIRE(answer.status == 200);
    CHECK(parsed(answer)["metrics_count"] == 7);
  }
  const auto page = fixture.get("limit=1000");
  CHECK(page.body.size() < (17u << 20));
  const auto first = parsed(page);
  CHECK(first["metrics"].Size() == 16);
  REQUIRE(first.HasMember("next_cursor"));
  const auto rest = parsed(fixture.get("limit=1000&cursor=" + std::string(first["next_cursor"].GetString())));
  CHECK(rest["metrics"].Size() == 5);
  CHECK_FALSE(rest.HasMember("next_cursor"));
}

TEST_CASE("malformed questions are 400 and name the parameter") {
  Fixture fixture;
  for (const auto& [query, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"limit=0", "limit: "},
                                                                  {"from=x", "from: "},
                                                                  {"from=2026-02-03T04:05:06Z&to=2026-02-03T04:05:05Z", "from: "},
                                                                  {"cursor=garbage", "cursor: "},
                                                                  {"cursor=AAAA", "cursor: "},
                                                                  {"colour=red", "colour: "}}) {
    CAPTURE(query);
    const auto answer = fixture.get(query);
    CHECK(answer.status == 400);
    CHECK(error_message(answer).rfind(name, 0) == 0);
  }
}
