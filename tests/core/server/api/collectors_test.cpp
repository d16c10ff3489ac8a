#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

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
