#include "core/transport/backend.h"

#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <sys/stat.h>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::make_batch;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;
using Verdict = PushAnswer::Verdict;

namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;
std::int64_t g_boottime_ns = 1'000 * kHourNs;  // turned by hand

}  // namespace

TEST_CASE("a push carries token, certificate, number and encoding, and the bytes as they are") {
  ScriptedBackend server;
  server.start();
  const auto backend = server.open();
  const PushAnswer answer = backend->push(make_batch(7, "\x28\xb5\x2f\xfd"));
  CHECK(answer.verdict == Verdict::kAcknowledged);
  const auto pushes = server.requests("/metrics/push");
  REQUIRE(pushes.size() == 1);
  CHECK(pushes[0].method == "POST");
  CHECK(pushes[0].body == "\x28\xb5\x2f\xfd");
  CHECK(pushes[0].headers.at("authorization") == "Bearer token-1");
  CHECK(pushes[0].headers.at("idempotency-key") == std::string(testing::kEpoch) + ".7");
  CHECK(pushes[0].headers.at("content-type") == "application/json");
  CHECK(pushes[0].headers.at("content-encoding") == "zstd");
  CHECK(pushes[0].headers.at("user-agent") == "pganalytics/test");
  CHECK_FALSE(pushes[0].certificate_thumbprint.empty());

  spool::Batch plain = make_batch(8);
  plain.encoding = compression::Encoding::kIdentity;
  CHECK(backend->push(plain).verdict == Verdict::kAcknowledged);
  CHECK(server.requests("/metrics/push")[1].headers.count("content-encoding") == 0);
}

TEST_CASE("one token serves many calls") {
  ScriptedBackend server;
  server.start();
  const auto backend = server.open();
  for (std::uint64_t seq = 1; seq <= 5; ++seq) CHECK(backend->push(make_batch(seq)).verdict == Verdict::kAcknowledged);
  CHECK(backend->pull_config("\"1\""));
  CHECK(server.requests("/token").size() == 1);
  CHECK(server.requests("/token")[0].headers.count("authorization") == 0);
  CHECK(server.server().connections() == 1);
}

TEST_CASE("after two thirds of its life a token is renewed before it is refused, a suspended machine's time included") {
  ScriptedBackend server;
  server.start();
  BackendOptions options;
  options.boottime_ns = [] { return g_boottime_ns; };
  const auto backend = testing::must(Backend::open(server.identity(), options));
  const auto pushed_with = [&](std::uint64_t seq) {
    CHECK(backend->push(make_batch(seq)).verdict == Verdict::kAcknowledged);
    return server.requests("/metrics/push").back().headers.at("authorization");
  };
  CHECK(pushed_with(1) == "Bearer token-1");  // its life is long, and counted as a day
  g_boottime_ns += 15 * kHourNs;
  CHECK(pushed_with(2) == "Bearer token-1");
  g_boottime_ns += 2 * kHourNs;
  CHECK(pushed_with(3) == "Bearer token-2");
}

TEST_CASE("a token that is over is not used again") {
  ScriptedBackend server;
  server.on_token = [&](const SeenRequest&) { return server.token("2001-01-01T00:00:00Z"); };
  server.start();
  const auto backend = server.open();
  CHECK(backend->push(make_batch(1)).verdict == Verdict::kAcknowledged);
  CHECK(backend->push(make_batch(2)).verdict == Verdict::kAcknowledged);
  CHECK(server.requests("/token").size() == 2);
}

TEST_CASE("a 401 costs one new token and one more try, and what that says stands") {
  ScriptedBackend server;
  std::string accepted = "Bearer token-2";
  int second_status = 0;
  server.on_push = [&](const SeenRequest& request) {
    if (request.headers.at("authorization") != accepted) return ScriptedAnswer{401, ""};
    return second_status == 0 ? ScriptedBackend::acknowledge(request) : ScriptedAnswer{second_status, ""};
  };
  SECTION("the new token is taken") {
    server.start();
    CHECK(server.open()->push(make_batch(1)).verdict == Verdict::kAcknowledged);
    CHECK(server.requests("/token").size() == 2);
    CHECK(server.requests("/metrics/push").size() == 2);
  }
  SECTION("the new token is refused too: no third try, and never a drop") {
    accepted = "none";
    server.start();
    const PushAnswer answer = server.open()->push(make_batch(1));
    CHECK(answer.verdict == Verdict::kUnauthorized);
    CHECK(answer.http_status == 401);
    CHECK(server.requests("/token").size() == 2);
    CHECK(server.requests("/metrics/push").size() == 2);
  }
  SECTION("another status after the new token is not mistaken for success") {
    second_status = 503;
    server.start();
    CHECK(server.open()->push(make_batch(1)).verdict == Verdict::kRetry);
  }
}

TEST_CASE("without a token nothing is pushed") {
  ScriptedBackend server;
  int status = 503;
  server.on_token = [&](const SeenRequest&) { return ScriptedAnswer{status, "", {{"Retry-After", "9"}}}; };
  server.start();
  const auto backend = server.open();
  const PushAnswer later = backend->push(make_batch(1));
  CHECK(later.verdict == Verdict::kRetry);
  CHECK(later.retry_after_ms == 9'000);
  status = 403;
  CHECK(backend->push(make_batch(1)).verdict == Verdict::kForbidden);
  CHECK(server.requests("/metrics/push").empty());
}

TEST_CASE("an answer that got lost, or came from somebody else, is no acknowledgement") {
  ScriptedBackend server;
  ScriptedAnswer scripted;
  server.on_push = [&](const SeenRequest&) { return scripted; };
  SECTION("hang-up") { scripted.hang_up = true; }
  SECTION("portal") { scripted = {200, "<html>log in</html>"}; }
  SECTION("endless") { scripted.endless = true; }
  SECTION("redirect") { scripted = {301, "", {{"Location", "/api/v1/elsewhere"}}}; }
  server.start();
  const PushAnswer answer = server.open()->push(make_batch(1));
  CHECK(answer.verdict == (scripted.status == 301 ? Verdict::kRedirected : Verdict::kRetry));
  CHECK_FALSE(answer.reason.empty());
  CHECK(server.requests("elsewhere").empty());
}

TEST_CASE("configuration is pulled only when it changed") {
  ScriptedBackend server;
  server.on_config = [&](const SeenRequest& request) {
    const auto known = request.headers.find("if-none-match");
    if (known != request.headers.end() && known->second == "\"3\"") return ScriptedAnswer{304, ""};
    return ScriptedAnswer{200, R"({"version":3})", {{"ETag", "\"3\""}}};
  };
  server.start();
  const auto backend = server.open();
  auto config = backend->pull_config("");
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  CHECK(config.value().modified);
  CHECK(config.value().version == 3);
  CHECK(config.value().body == R"({"version":3})");
  config = backend->pull_config(config.value().etag);
  REQUIRE(config);
  CHECK_FALSE(config.value().modified);
  CHECK(server.requests("/config/")[0].path == std::string("/api/v1/config/") + testing::kCollectorId);
  CHECK(server.requests("/config/")[0].headers.count("if-none-match") == 0);
}

TEST_CASE("a configuration that cannot be had is an error with the server's wish") {
  ScriptedBackend server;
  server.on_config = [&](const SeenRequest&) { return ScriptedAnswer{429, "", {{"Retry-After", "30"}}}; };
  server.start();
  const auto config = server.open()->pull_config("\"1\"\r\nX-Evil: 1");
  REQUIRE_FALSE(config);
  CHECK(config.error().code == "http.429");
  CHECK(config.error().retry_after_ms == 30'000);
  CHECK(server.requests("/config/")[0].headers.count("x-evil") == 0);
}

TEST_CASE("a key that others can read is not used") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  REQUIRE(chmod(identity.key_file.c_str(), 0644) == 0);
  const auto backend = Backend::open(identity, {});
  REQUIRE_FALSE(backend);
  CHECK(backend.error().status == PGA_E_DENIED);
}

TEST_CASE("the operator's CA bundle and address come before those of the identity") {
  ScriptedBackend server;
  server.start();
  Identity identity = server.identity();
  BackendOptions options;
  options.ca_file = identity.ca_file;
  options.url = identity.backend_url;
  identity.ca_file = "/nonexistent";
  identity.backend_url = "https://localhost:1";
  auto backend = Backend::open(identity, options);
  REQUIRE(backend);
  CHECK(backend.value()->push(make_batch(1)).verdict == Verdict::kAcknowledged);
}

TEST_CASE("what cannot be called is told at the start") {
  ScriptedBackend server;
  server.start();
  BackendOptions options;
  SECTION("an address that is none") { options.url = "http://localhost:1"; }
  SECTION("a proxy that libcurl refuses") { options.proxy = "http://" + std::string(9'000'000, 'x'); }
  const auto backend = Backend::open(server.identity(), options);
  REQUIRE_FALSE(backend);
  CHECK(backend.error().code == (options.url.empty() ? "http.broken" : "http.url"));
}

TEST_CASE("a report that the server did not take is an error with the server's words") {
  ScriptedBackend server;
  ScriptedAnswer status{409, R"({"error":{"code":"stale","message":"a newer one is known"}})"};
  int token_status = 200;
  server.on_status = [&](const SeenRequest&) { return status; };
  server.on_token = [&](const SeenRequest&) {
    return token_status == 200 ? server.token("2099-01-01T00:00:00Z") : ScriptedAnswer{token_status, ""};
  };
  SECTION("of the report") {}
  SECTION("of the token") { token_status = 503; }
  server.start();
  const Outcome told = server.open()->report_config({7, "applied", ""});
  REQUIRE_FALSE(told);
  CHECK(told.error().status == PGA_E_TRANSIENT);
  CHECK(told.error().message.find(token_status == 200 ? "a newer one is known" : "access token") != std::string::npos);
}
