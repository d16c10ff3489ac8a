// GET and PUT of a collector's configuration.
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

struct Fixture {
  ApiUnderTest test;
  Collector collector = test.enrol();
  std::string admin = test.key(store::Role::kAdmin);
  std::string target = "/api/v1/config/" + collector.id;

  http::Response get(const std::string& etag = {}) {
    auto request = ApiUnderTest::as(collector, ApiUnderTest::request("GET", target));
    if (!etag.empty()) request.headers["if-none-match"] = etag;
    return test.ask(request);
  }
  http::Response put(const std::string& body) {
    return test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("PUT", target, body)));
  }
};

}  // namespace

TEST_CASE("until somebody gives one, the configuration is version 0 and decides nothing") {
  Fixture fixture;
  const auto answer = fixture.get();
  CHECK(answer.status == 200);
  CHECK(header_of(answer, "ETag") == "\"0\"");
  CHECK(answer.body ==
        R"({"version":0,"intervals":{},"enabled_collectors":[],"log_filters":[],"retention_days":30,"compression":true,)"
        R"("backup_interval":"24h","plugins":{}})");
}

TEST_CASE("what an admin gives is what the collector gets, once per version") {
  Fixture fixture;
  const auto stored = fixture.put(R"({"intervals":{"pg_stats":"30s"},"plugins":{"pg_log":{"min_severity":"error"}}})");
  CHECK(stored.status == 200);
  CHECK(header_of(stored, "ETag") == "\"1\"");
  const auto answer = fixture.get();
  CHECK(answer.body == stored.body);
  CHECK(parsed(answer)["version"] == 1);
  CHECK(parsed(answer)["plugins"].HasMember("logs"));
  for (const char* etag : {"\"1\"", "W/\"1\"", "*", "\"0\", \"1\""}) {
    CAPTURE(etag);
    const auto unchanged = fixture.get(etag);
    CHECK(unchanged.status == 304);
    CHECK(unchanged.body.empty());
    CHECK(header_of(unchanged, "ETag") == "\"1\"");
  }
  for (const char* etag : {"\"0\"", "\"11\"", "1", "garbage"}) CHECK(fixture.get(etag).status == 200);
  CHECK(parsed(fixture.put("{}"))["version"] == 2);
  CHECK(fixture.get("\"1\"").status == 200);
}

TEST_CASE("a document edited from an older version is not stored over a newer one") {
  Fixture fixture;
  const std::string first = fixture.put("{}").body;
  CHECK(fixture.put(first).status == 200);
  const auto stale = fixture.put(first);
  CHECK(stale.status == 409);
  CHECK(error_message(stale).rfind("version: ", 0) == 0);
  CHECK(parsed(fixture.get())["version"] == 2);
}

TEST_CASE("what is refused changes nothing and names the key") {
  Fixture fixture;
  const auto answer = fixture.put(R"({"intervals":{"pg_statz":"30s"}})");
  CHECK(answer.status == 400);
  CHECK(error_message(answer).rfind("intervals.pg_statz: ", 0) == 0);
  CHECK(fixture.put(R"({"plugins":{"pg_stats":{"conninfo":"host=evil"}}})").status == 400);
  CHECK(parsed(fixture.get())["version"] == 0);
}

TEST_CASE("a plugin of somebody else's can be configured once it has reported") {
  Fixture fixture;
  const std::string document = R"({"intervals":{"acme_pool":"30s"}})";
  CHECK(fixture.put(document).status == 400);
  const std::string pushed = R"({"type":"acme_pool","timestamp":"2026-02-03T04:05:06Z"})";
  CHECK(fixture.test.ask(ApiUnderTest::as(fixture.collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", pushed)))
            .status == 200);
  CHECK(fixture.put(document).status == 200);
}

TEST_CASE("the configuration of a collector that does not exist") {
  Fixture fixture;
  for (const std::string& id : {std::string(kNobody), std::string("not-a-uuid")}) {
    CHECK(fixture.test.ask(ApiUnderTest::with_key(fixture.admin, ApiUnderTest::request("GET", "/api/v1/config/" + id))).status ==
          404);
    CHECK(fixture.test.ask(ApiUnderTest::with_key(fixture.admin, ApiUnderTest::request("PUT", "/api/v1/config/" + id, "{}")))
              .status == 404);
    CHECK(fixture.test.ask(ApiUnderTest::as(fixture.collector, ApiUnderTest::request("GET", "/api/v1/config/" + id))).status ==
          403);
  }
}
