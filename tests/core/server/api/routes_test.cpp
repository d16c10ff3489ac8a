#include "core/server/api/routes.h"

#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

int status_of(const std::string& method, const std::string& path) {
  const auto found = find_route(ApiUnderTest::request(method, path));
  const auto* refusal = std::get_if<http::Response>(&found);
  return refusal == nullptr ? 0 : refusal->status;
}

}  // namespace

TEST_CASE("a path is served whole or not at all") {
  for (const char* path : {"/", "/api", "/api/v1", "/api/v1/", "/api/v1/health/", "/api/v1/healthy", "/api/v2/health",
                           "//api/v1/health", "/api/v1/collectors/", "/api/v1/collectors//token", "/api/v1/collectors/a/b",
                           "/api/v1/servers/a", "/api/v1/servers//metrics", "/api/v1/servers/a/metrics/", "/api/v1/config",
                           "/api/v1/config/", "/API/V1/health", "/api/v1/../v1/health"}) {
    CAPTURE(path);
    CHECK(status_of("GET", path) == 404);
  }
  CHECK(status_of("GET", "/api/v1/health") == 0);
  CHECK(status_of("HEAD", "/api/v1/health") == 0);
  CHECK(std::get<Found>(find_route(ApiUnderTest::request("GET", "/api/v1/servers/abc/metrics"))).id == "abc");
}

TEST_CASE("a method that a path does not take gets 405 and what it does take") {
  const auto allow = [](const std::string& method, const std::string& path) {
    const auto found = find_route(ApiUnderTest::request(method, path));
    const auto* refusal = std::get_if<http::Response>(&found);
    REQUIRE(refusal != nullptr);
    CHECK(refusal->status == 405);
    CHECK(error_code(*refusal) == "method_not_allowed");
    return header_of(*refusal, "Allow");
  };
  CHECK(allow("POST", "/api/v1/health") == "GET, HEAD");
  CHECK(allow("GET", "/api/v1/metrics/push") == "POST");
  CHECK(allow("HEAD", "/api/v1/metrics/push") == "POST");
  CHECK(allow("DELETE", "/api/v1/config/x") == "GET, HEAD, PUT");
  CHECK(allow("PUT", "/api/v1/collectors/x") == "GET, HEAD, DELETE");
  CHECK(allow("GET", "/api/v1/collectors/register") == "POST");  // no collector's id
  CHECK(allow("get", "/api/v1/health") == "GET, HEAD");          // methods are case-sensitive
  CHECK(allow("TRACE", "/api/v1/collectors") == "GET, HEAD");
}
