// GET and PUT of a collector's configuration.
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

#include <sstream>

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

struct Fixture {
  std::string database = testing::PostgresServer::shared().new_database();
  ApiUnderTest test{{}, testing::PostgresServer::shared().conninfo(database)};
  Collector collector = test.enrol();
  std::string admin = test.key(store::Role::kAdmin);
  std::string target = "/api/v1/config/" + collector.id;

  http::Response get(const std::string& etag = {}) {
    auto request = ApiUnderTest::as(collector, ApiUnderTest::request("GET", target));
    if (!etag.empty()) request.headers["if-none-match"] = etag;
    return test.ask(request);
  }
  http::Response get_as_admin(const std::string& etag = {}) {
    auto request = ApiUnderTest::with_key(admin, ApiUnderTest::request("GET", target));
    if (!etag.empty()) request.headers["if-none-match"] = etag;
    return test.ask(request);
  }
  http::Response detail() {
    return test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("GET", "/api/v1/collectors/" + collector.id)));
  }
  http::Response report(const std::string& body) {
    return test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", target + "/status", body)));
  }
  // "actor detail" of each such line of the audit log about this collector.
  std::vector<std::string> audit(const std::string& action) {
    std::istringstream lines(testing::PostgresServer::shared().value(
        database,
        "select coalesce(string_agg(actor || ' ' || detail, E'\\n' order by id), '') from pganalytics.audit where action = '" +
            action + "' and subject = '" + collector.id + "'"));
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) found.push_back(line);
    return found;
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

TEST_CASE("a key of the host is refused with its path, and the attempt is in the audit log") {
  Fixture fixture;
  const auto audited = [&] { return fixture.audit("config.refused"); };
  CHECK(fixture.put(R"({"plugins":{"pg_stats":{"conninfo":"host=evil"}}})").status == 400);
  REQUIRE(audited().size() == 1);
  CHECK_THAT(audited()[0], Catch::Contains(R"("path":"plugins.pg_stats.conninfo")") && Catch::Contains("key:admin"));
  CHECK(fixture.put(R"({"backend":{"url":"https://evil"}})").status == 400);
  CHECK(audited().size() == 2);
  CHECK(fixture.put(R"({"intervals":{"pg_statz":"30s"}})").status == 400);  // a typing error is no attempt
  CHECK(audited().size() == 2);
}

TEST_CASE("what a collector makes of its configuration is kept and shown to admins") {
  Fixture fixture;
  CHECK(fixture.put(R"({"retention_days":7})").status == 200);
  const std::string before = fixture.get_as_admin().body;
  CHECK(before.find("\"collector\"") == std::string::npos);
  CHECK(parsed(fixture.detail())["config"].IsNull());
  CHECK(fixture.report(R"({"version":1,"state":"probation"})").status == 204);
  const auto shown = fixture.get_as_admin();
  CHECK(parsed(shown)["collector"]["version"] == 1);
  CHECK(parsed(shown)["collector"]["state"] == "probation");
  CHECK(parsed(shown)["collector"]["reason"].IsNull());
  CHECK(fixture.get().body == before);  // the collector itself gets the document alone
  CHECK(fixture.get("\"1\"").status == 304);

  // An admin who asks again sees the news although the version is the same.
  const std::string tag = header_of(shown, "ETag");
  CHECK(fixture.get_as_admin(tag).status == 304);
  CHECK(fixture.report(R"({"version":1,"state":"reverted","reason":"plugin disk: it \"died\""})").status == 204);
  CHECK(fixture.get_as_admin(tag).status == 200);
  CHECK(parsed(fixture.detail())["config"]["state"] == "reverted");
  CHECK(parsed(fixture.detail())["config"]["reason"] == "plugin disk: it \"died\"");
  CHECK(parsed(fixture.test.ask(ApiUnderTest::with_key(
            fixture.admin, ApiUnderTest::request("GET", "/api/v1/collectors"))))["collectors"][0]["config"]["version"] == 1);
  CHECK(fixture.put(fixture.get_as_admin().body).status == 200);  // what is shown may be given back
  CHECK(parsed(fixture.get())["version"] == 2);
}

TEST_CASE("that a configuration was rejected or reverted is in the audit log, once") {
  Fixture fixture;
  for (int i = 0; i < 6; ++i) CHECK(fixture.put("{}").status == 200);
  for (int i = 0; i < 3; ++i) CHECK(fixture.report(R"({"version":4,"state":"rejected","reason":"no such key"})").status == 204);
  REQUIRE(fixture.audit("config.rejected").size() == 1);
  CHECK_THAT(fixture.audit("config.rejected")[0],
             Catch::Contains("no such key") && Catch::Contains("collector:" + fixture.collector.id));
  CHECK(fixture.report(R"({"version":5,"state":"reverted","reason":"it broke"})").status == 204);
  CHECK(fixture.audit("config.reverted").size() == 1);
  CHECK(fixture.report(R"({"version":6,"state":"applied"})").status == 204);
  CHECK(fixture.audit("config.applied").empty());
}

TEST_CASE("a collector cannot fill the audit log with reasons, nor with versions that nobody gave") {
  Fixture fixture;
  CHECK(fixture.put("{}").status == 200);
  for (int i = 0; i < 50; ++i)
    CHECK(fixture.report(R"({"version":1,"state":"rejected","reason":"reason )" + std::to_string(i) + "\"}").status == 204);
  CHECK(fixture.audit("config.rejected").size() == 1);
  CHECK(parsed(fixture.detail())["config"]["reason"] == "reason 49");
  const auto unknown = fixture.report(R"({"version":2,"state":"rejected"})");
  CHECK(unknown.status == 400);
  CHECK(error_code(unknown) == "bad_status");
  CHECK(error_message(unknown).rfind("version: ", 0) == 0);
  CHECK(fixture.audit("config.rejected").size() == 1);
}

TEST_CASE("a key that is revoked while the document comes in changes nothing") {
  Fixture fixture;
  const auto request = ApiUnderTest::with_key(fixture.admin, ApiUnderTest::request("PUT", fixture.target, "{}"));
  http::Request head = request;
  head.body.clear();
  auto admission = (*fixture.test.api)(head);
  REQUIRE(std::holds_alternative<http::Accepted>(admission));
  REQUIRE(fixture.test.store->revoke_api_key("1"));
  CHECK(std::get<http::Accepted>(admission).serve(request).status == 401);
  CHECK(parsed(fixture.get())["version"] == 0);
}

TEST_CASE("a document that cannot be written into the audit log is not stored") {
  Fixture fixture;
  testing::PostgresServer::shared().sql(fixture.database, R"(
    create function pganalytics.fail() returns trigger language plpgsql as $$
      begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
    create trigger fail before insert on pganalytics.audit for each row execute function pganalytics.fail())");
  CHECK(fixture.put("{}").status == 503);
  CHECK(parsed(fixture.get())["version"] == 0);
}

TEST_CASE("what is no such report is refused, and whoever may not speak for the collector") {
  Fixture fixture;
  for (const char* body :
       {"[]", "{", "{}", R"({"version":1})", R"({"state":"applied"})", R"({"version":-1,"state":"applied"})",
        R"({"version":1.5,"state":"applied"})", R"({"version":18446744073709551615,"state":"applied"})",
        R"({"version":1,"state":"good"})", R"({"version":1,"state":1})", R"({"version":1,"state":"applied","x":1})",
        R"({"version":1,"state":"applied","reason":1})", R"({"version":1,"state":"applied","reason":"\u0000"})",
        R"({"version":1,"version":2,"state":"applied"})"}) {
    CAPTURE(body);
    CHECK(fixture.report(body).status == 400);
  }
  CHECK(fixture.put("{}").status == 200);
  CHECK(fixture.report(R"({"version":1,"state":"rejected","reason":")" + std::string(4097, 'x') + "\"}").status == 400);
  CHECK(fixture.report(R"({"version":1,"state":"rejected","reason":")" + std::string(4096, 'x') + "\"}").status == 204);
  const std::string good = R"({"version":1,"state":"applied"})";
  const std::string target = fixture.target + "/status";
  CHECK(fixture.test.ask(ApiUnderTest::request("POST", target, good)).status == 401);
  CHECK(fixture.test.ask(ApiUnderTest::with_key(fixture.admin, ApiUnderTest::request("POST", target, good))).status == 403);
  CHECK(fixture.test.ask(ApiUnderTest::as(fixture.test.enrol("db2"), ApiUnderTest::request("POST", target, good))).status == 403);
}

TEST_CASE("a collector that talks without end is asked to wait") {
  ApiOptions options;
  options.push_per_second = 0.1;
  options.push_burst = 3;
  ApiUnderTest test(options);
  const Collector collector = test.enrol();
  const auto report = ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/config/" + collector.id + "/status",
                                                                        R"({"version":0,"state":"applied"})"));
  for (int i = 0; i < 3; ++i) CHECK(test.ask(report).status == 204);
  const auto refused = test.ask(report);
  CHECK(refused.status == 429);
  CHECK_FALSE(header_of(refused, "Retry-After").empty());
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

TEST_CASE("a configuration is rolled back by today's rules, as a new version") {
  Fixture fixture;
  const auto roll_back = [&](const std::string& body) {
    return fixture.test.ask(
        ApiUnderTest::with_key(fixture.admin, ApiUnderTest::request("POST", fixture.target + "/rollback", body)));
  };
  CHECK(fixture.put(R"({"retention_days":7})").status == 200);
  CHECK(fixture.put("{}").status == 200);
  const auto restored = roll_back(R"({"version":1})");
  CHECK(restored.status == 200);
  CHECK(header_of(restored, "ETag") == "\"3\"");
  CHECK(parsed(restored)["retention_days"] == 7);
  CHECK(fixture.get().body == restored.body);
  CHECK_THAT(fixture.audit("config.rollback").at(0),
             Catch::Contains(R"({"version":3,"restores":1})") && Catch::Contains("key:admin"));

  // As if it had been given when the collector still had this plugin.
  testing::PostgresServer::shared().sql(
      fixture.database, R"(update pganalytics.configs set document = '{"intervals":{"acme_pool":"30s"}}' where version = 2)");
  const auto refused = roll_back(R"({"version":2})");
  CHECK(refused.status == 400);
  CHECK(error_code(refused) == "bad_config");
  CHECK(error_message(refused).rfind("intervals.acme_pool: ", 0) == 0);
  for (const char* body : {"", "[]", "{}", R"({"version":"1"})", R"({"version":-1})", R"({"version":1,"x":1})",
                           R"({"version":1.5})", R"({"version":18446744073709551615})", R"({"version":1,"version":2})"}) {
    CAPTURE(body);
    CHECK(roll_back(body).status / 100 == 4);
  }
  CHECK(error_code(roll_back(R"({"version":9})")) == "no_such_version");
  CHECK(parsed(fixture.get())["version"] == 3);
}
