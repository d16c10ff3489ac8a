#include "core/server/program/traffic.h"

#include "tests/support/catch.h"

#include <string>
#include <thread>
#include <vector>

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::program;
using Catch::Contains;

namespace {

std::string shown(const Traffic& traffic) {
  telemetry::MetricText text;
  traffic.write(text);
  return text.text();
}

}  // namespace

TEST_CASE("answers are counted by route and status; what has no route is none, whatever its path") {
  Traffic traffic;
  http::Request request;
  request.path = "/secret/path";
  traffic.note({request, "/api/v1/health", 200, 2'000'000});
  traffic.note({request, "/api/v1/health", 200, 2'000'000});
  traffic.note({request, "/api/v1/health", 503, 7'000'000'000});
  traffic.note({request, "", 404, 0});
  traffic.note({request, "/not/in/the/table", 400, 0});
  traffic.note({request, "", 9'999, 0});
  const std::string text = shown(traffic);
  const std::string total = "pganalytics_server_http_requests_total", took = "pganalytics_server_http_request_duration_seconds";
  CHECK_THAT(text, Contains(total + "{route=\"/api/v1/health\",status=\"200\"} 2\n") &&
                       Contains(total + "{route=\"/api/v1/health\",status=\"503\"} 1\n") &&
                       Contains(total + "{route=\"none\",status=\"404\"} 1\n") &&
                       Contains(total + "{route=\"none\",status=\"400\"} 1\n"));
  CHECK_THAT(text, Contains(took + "_bucket{route=\"/api/v1/health\",le=\"0.0025\"} 2\n") &&
                       Contains(took + "_count{route=\"/api/v1/health\"} 3\n") &&
                       Contains(took + "_sum{route=\"/api/v1/health\"} 7.004\n") &&
                       Contains(took + "_count{route=\"none\"} 3\n"));
  CHECK(text.find("secret") == std::string::npos);
  CHECK(text.find("not/in/the/table") == std::string::npos);
}

TEST_CASE("no answer is lost between threads") {
  constexpr int kThreads = 4, kEach = 5'000;
  Traffic traffic;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const http::Request request;
      for (int n = 0; n < kEach; ++n) traffic.note({request, "/api/v1/metrics/push", 200, 1'000});
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_THAT(shown(traffic), Contains("requests_total{route=\"/api/v1/metrics/push\",status=\"200\"} 20000\n"));
}
