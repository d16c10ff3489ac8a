#include "core/server/api/routes.h"

#include <fstream>
#include <set>

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

TEST_CASE("docs/openapi.yaml names every route and no other") {
  std::ifstream file(PGANALYTICS_SOURCE_DIR "/docs/openapi.yaml");
  std::set<std::string> documented, served;
  std::string line, path;
  while (std::getline(file, line)) {
    if (line.rfind("  /", 0) == 0) path = line.substr(2, line.size() - 3);
    if (line.rfind("components:", 0) == 0) break;
    for (const auto& [key, method] :
         {std::pair{"    get:", "GET"}, {"    put:", "PUT"}, {"    post:", "POST"}, {"    delete:", "DELETE"}}) {
      if (line == key) documented.insert(std::string(method) + " " + path);
    }
  }
  for (const Route& route : all_routes()) served.insert(std::string(route.method) + " " + std::string(route.pattern));
  CHECK(documented == served);
}
