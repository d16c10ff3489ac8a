#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

TEST_CASE("collectors are listed, with what they have sent") {
  ApiUnderTest test;
  const std::string viewer = test.key(store::Role::kViewer);
  const auto get = [&](const std::string& target) {
    return test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", target)));
  };
  CHECK(get("/api/v1/collectors").body == R"({"collectors":[]})");
  const Collector collector = test.enrol("db1");
  const auto fresh = parsed(get("/api/v1/collectors/" + collector.id));
  CHECK(fresh["name"] == "db1");
  CHECK(fresh["hostname"] == "db1.example");
  CHECK(fresh["last_push_at"].IsNull());
  CHECK(fresh["created_at"].IsString());
  CHECK(fresh["documents"] == 0);
  CHECK_FALSE(fresh["revoked"].GetBool());
  const std::string envelope = R"({"hostname":"db1.example","version":"0.1.0","metrics":[)" + std::string(kDocument) + "]}";
  REQUIRE(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", envelope))).status == 200);
  const auto list = parsed(get("/api/v1/collectors"));
  REQUIRE(list["collectors"].Size() == 1);
  CHECK(list["collectors"][0]["id"] == collector.id.c_str());
  CHECK(list["collectors"][0]["documents"] == 1);
  CHECK(list["collectors"][0]["version"] == "0.1.0");
  CHECK(list["collectors"][0]["last_push_at"].IsString());
  std::string upper = collector.id;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(get("/api/v1/collectors/" + upper).status == 200);
}

TEST_CASE("a collector's health is how long nothing came, and how old its newest data is") {
  ApiUnderTest test;
  const std::string viewer = test.key(store::Role::kViewer), admin = test.key(store::Role::kAdmin);
  const Collector collector = test.enrol("db1");
  const auto age = [&](const std::string& column, const std::string& interval) {
    pganalytics::testing::PostgresServer::shared().sql(
        test.database, "update pganalytics.collectors set " + column + " = now() - interval '" + interval + "'");
  };
  const auto health = [&](const char* member) {
    const auto answer = parsed(test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/collectors"))));
    const auto& value = answer["collectors"][0]["health"][member];
    return value.IsString() ? std::string(value.GetString()) : value.IsNull() ? "null" : std::to_string(value.GetInt64());
  };
  CHECK(health("state") == "ok");
  CHECK(health("newest_data_at") == "null");
  CHECK(health("lag_seconds") == "null");
  age("created_at", "16 minutes");
  CHECK(health("state") == "silent");
  const auto push = [&](const std::string& time) {
    const std::string document = R"({"type":"sysstat","timestamp":")" + time + "\"}";
    REQUIRE(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", document))).status == 200);
  };
  push("2026-02-03T04:05:06.789Z");
  CHECK(health("state") == "ok");
  push("2026-02-03T04:00:00Z");  // a backlog
  push("2200-01-01T00:00:00Z");  // a clock gone wild
  CHECK(health("newest_data_at") == "2026-02-03T04:05:06.789Z");
  age("newest_data_at", "100 seconds");
  CHECK(std::stoi(health("lag_seconds")) / 10 == 10);
  age("newest_data_at", "-100 seconds");
  CHECK(std::stoi(health("lag_seconds")) / 10 == -10);
  age("last_push_at", "170 seconds");
  CHECK(health("state") == "ok");
  age("last_push_at", "181 seconds");
  CHECK(health("state") == "late");
  CHECK(std::stoi(health("quiet_seconds")) / 10 == 18);
  age("last_push_at", "901 seconds");
  CHECK(health("state") == "silent");
  REQUIRE(test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("DELETE", "/api/v1/collectors/" + collector.id))).status ==
          204);
  CHECK(health("state") == "revoked");
}

TEST_CASE("collectors that do not exist") {
  ApiUnderTest test;
  const std::string admin = test.key(store::Role::kAdmin);
  for (const std::string& id : {std::string(kNobody), std::string("x"), std::string("%27%20OR%201=1")}) {
    for (const char* method : {"GET", "DELETE"}) {
      const auto answer = test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request(method, "/api/v1/collectors/" + id)));
      CHECK(answer.status == 404);
      CHECK(error_code(answer) == "no_such_collector");
    }
    CHECK(test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("GET", "/api/v1/servers/" + id + "/metrics"))).status ==
          404);
  }
}

TEST_CASE("one collector's detail has its plugins, the configuration that it was given and how long its documents are kept") {
  ApiUnderTest test;
  const std::string viewer = test.key(store::Role::kViewer), admin = test.key(store::Role::kAdmin);
  const Collector collector = test.enrol("db1");
  const auto detail = [&] {
    return parsed(test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/collectors/" + collector.id))));
  };
  const auto push = [&](const std::string& document) {
    REQUIRE(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", document))).status == 200);
  };
  const auto fresh = detail();
  CHECK(fresh["config_version"] == 0);
  CHECK(fresh["retention_days"] == 30);
  CHECK(fresh["plugins"].Empty());
  push(R"({"type":"collector","timestamp":"2026-02-03T04:05:06Z","plugins":[{"plugin":"disk","version":"9","state":"idle"}]})");
  push(
      R"({"type":"collector","timestamp":"2026-02-03T04:06:06Z","plugins":[{"plugin":"disk","version":null,"state":"refused"},7,{}]})");
  const auto put = ApiUnderTest::request("PUT", "/api/v1/config/" + collector.id, R"({"retention_days":7})");
  REQUIRE(test.ask(ApiUnderTest::with_key(admin, put)).status == 200);
  const auto full = detail();
  CHECK(full["config_version"] == 1);
  CHECK(full["retention_days"] == 7);
  REQUIRE(full["plugins"].Size() == 1);
  CHECK(full["plugins"][0]["plugin"] == "disk");
  CHECK(full["plugins"][0]["version"].IsNull());
  CHECK(full["plugins"][0]["state"] == "refused");
  push(R"({"type":"collector","timestamp":"2026-02-03T04:07:06Z","plugins":"none"})");
  CHECK(detail()["plugins"].Empty());
}
