// What callers get while the database is away, and after.
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

TEST_CASE("without its database the server says 503 and when to come back, and recovers by itself") {
  testing::PostgresServer postgres;
  ApiUnderTest test({}, postgres.conninfo());
  const Collector collector = test.enrol();
  const std::string viewer = test.key(store::Role::kViewer);
  const auto health = ApiUnderTest::request("GET", "/api/v1/health");
  const auto push = ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument));
  const auto list = ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/collectors"));
  CHECK(test.ask(push).status == 200);
  postgres.stop(false);
  for (const auto& request : {health, push, list}) {
    CAPTURE(request.path);
    const auto answer = test.ask(request);
    CHECK(answer.status == 503);
    CHECK(error_code(answer) == "database_unavailable");
    CHECK(header_of(answer, "Retry-After") == "1");
  }
  postgres.start();
  CHECK(testing::eventually([&] { return test.ask(health).status == 200; }));
  CHECK(test.ask(push).status == 200);
  CHECK(parsed(test.ask(list))["collectors"][0]["documents"] == 2);
}
