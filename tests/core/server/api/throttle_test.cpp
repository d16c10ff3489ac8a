// Who asks too often, who fails too often, who is out: what it costs them and what it costs us.
#include "core/server/api/throttle.h"

#include "core/server/auth/secret_text.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;
using pganalytics::testing::must;

namespace {

http::Request from(const std::string& address, http::Request request) {
  request.remote_address = address;
  return request;
}

http::Request enrolment(const std::string& token) {
  auto request = ApiUnderTest::request("POST", "/api/v1/collectors/register", R"({"name":"n","hostname":"h"})");
  request.headers["x-registration-secret"] = token;
  return request;
}

std::vector<std::string> audited(ApiUnderTest& test, const std::string& action) {
  std::vector<std::string> actors;
  for (const auto& row : must(test.store->audit_rows(0, 1'000))) {
    if (row.action == action) actors.push_back(row.actor);
  }
  return actors;
}

}  // namespace

TEST_CASE("wrong registration tokens lock an address out, a good one does not help, others come in") {
  ApiOptions options;
  options.enrol_failures = 3;
  ApiUnderTest test(options);
  for (int i = 0; i < 3; ++i) CHECK(test.ask(from("192.0.2.9", enrolment("pge_wrong"))).status == 401);
  const auto locked = test.ask(from("192.0.2.9", enrolment(test.registration_token())));
  CHECK(locked.status == 429);
  CHECK(error_code(locked) == "locked_out");
  const int wait_s = std::stoi(header_of(locked, "Retry-After"));
  CHECK((wait_s > 890 && wait_s <= 900));
  CHECK(test.ask(from("192.0.2.10", enrolment(test.registration_token()))).status == 201);
  CHECK(test.ask(from("192.0.2.9", ApiUnderTest::request("GET", "/api/v1/health"))).status == 200);
  CHECK(audited(test, "collector.enrol_refused") == std::vector<std::string>{"address:192.0.2.9"});
  CHECK(audited(test, "collector.enrol_locked_out") == std::vector<std::string>{"address:192.0.2.9"});
  CHECK(options.refusals->of(http::Refusal::kEnrolLockout) == 1);
}

TEST_CASE("a body that is none does not count as a wrong token") {
  ApiOptions options;
  options.enrol_failures = 1;
  ApiUnderTest test(options);
  const std::string token = test.registration_token();
  auto bad = enrolment(token);
  bad.body = "{";
  for (int i = 0; i < 3; ++i) CHECK(test.ask(bad).status == 400);
  CHECK(test.ask(enrolment(token)).status == 201);
}

TEST_CASE("all enrolments together have a rate as well") {
  ApiOptions options;
  options.enrol_per_second_in_all = 2;
  ApiUnderTest test(options);
  const auto ask = [&](int i) { return test.ask(from("192.0.2." + std::to_string(i), enrolment("pge_wrong"))).status; };
  CHECK(ask(1) == 401);
  CHECK(ask(2) == 401);
  int status = 401;  // sooner or later, however long each takes
  for (int i = 3; i < 250 && status == 401; ++i) status = ask(i);
  CHECK(status == 429);
  CHECK(options.refusals->of(http::Refusal::kEnrolRate) == 1);
}

TEST_CASE("bad credentials of an address do not shut out a collector there, nor the other way round") {
  ApiOptions options;
  options.auth_failures_per_minute = 3;
  ApiUnderTest test(options);
  const Collector own = test.enrol(), other = test.enrol("other");
  const auto list = ApiUnderTest::request("GET", "/api/v1/collectors");
  const auto config_of = [](const Collector& collector) {
    return ApiUnderTest::request("GET", "/api/v1/config/" + collector.id);
  };
  for (int i = 0; i < 3; ++i) CHECK(test.ask(list).status == 401);
  const auto answer = test.ask(ApiUnderTest::with_key(test.key(store::Role::kViewer), list));
  CHECK(answer.status == 429);
  CHECK(error_code(answer) == "too_many_failures");
  CHECK(test.ask(ApiUnderTest::as(own, config_of(own))).status == 200);
  auto bad = ApiUnderTest::as(own, config_of(own));
  bad.headers["authorization"] = "Bearer nonsense";
  for (int i = 0; i < 3; ++i) CHECK(test.ask(bad).status == 401);
  CHECK(test.ask(bad).status == 429);
  CHECK(test.ask(ApiUnderTest::as(own, config_of(own))).status == 429);
  CHECK(test.ask(ApiUnderTest::as(other, config_of(other))).status == 200);
}

TEST_CASE("who has an old certificate of a collector cannot shut the collector out by failing with it") {
  ApiOptions options;
  options.auth_failures_per_minute = 3;
  ApiUnderTest test(options);
  const Collector own = test.enrol();
  const auto config = ApiUnderTest::request("GET", "/api/v1/config/" + own.id);
  auto bad = ApiUnderTest::as(own, config);
  bad.peer->thumbprint_sha256 = "of the certificate before";
  bad.headers["authorization"] = "Bearer nonsense";
  for (int i = 0; i < 3; ++i) CHECK(test.ask(bad).status == 401);
  CHECK(test.ask(bad).status == 429);
  CHECK(test.ask(ApiUnderTest::as(own, config)).status == 200);
}

TEST_CASE("what is no push has a rate too, for each collector and each key") {
  ApiOptions options;
  options.read_per_second = 0.001;
  options.read_burst = 3;
  ApiUnderTest test(options);
  const Collector own = test.enrol(), other = test.enrol("other");
  const std::string viewer = test.key(store::Role::kViewer), second = test.key(store::Role::kViewer);
  const auto own_config = ApiUnderTest::as(own, ApiUnderTest::request("GET", "/api/v1/config/" + own.id));
  const auto ca = ApiUnderTest::as(own, ApiUnderTest::request("GET", "/api/v1/ca"));
  CHECK(test.ask(own_config).status == 200);
  CHECK(test.ask(ca).status == 200);
  CHECK(test.ask(own_config).status == 200);
  CHECK(test.ask(ca).status == 429);
  const auto refused = test.ask(own_config);
  CHECK(refused.status == 429);
  CHECK(error_code(refused) == "too_many_requests");
  CHECK(std::stoi(header_of(refused, "Retry-After")) >= 1);
  CHECK(test.ask(ApiUnderTest::as(own, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument))).status == 200);
  CHECK(test.ask(ApiUnderTest::as(other, ApiUnderTest::request("GET", "/api/v1/config/" + other.id))).status == 200);

  const auto list = ApiUnderTest::request("GET", "/api/v1/collectors");
  for (int i = 0; i < 3; ++i) CHECK(test.ask(ApiUnderTest::with_key(viewer, list)).status == 200);
  CHECK(test.ask(ApiUnderTest::with_key(viewer, list)).status == 429);
  CHECK(test.ask(ApiUnderTest::with_key(second, list)).status == 200);
  CHECK(options.refusals->of(http::Refusal::kReadRate) == 3);
}

TEST_CASE("tokens and certificates have a rate for each collector") {
  ApiOptions options;
  options.token_per_minute = 2;
  ApiUnderTest test(options);
  const Collector own = test.enrol(), other = test.enrol("other");
  const auto token_of = [](const Collector& c) {
    return ApiUnderTest::as(c, ApiUnderTest::request("POST", "/api/v1/collectors/" + c.id + "/token"));
  };
  CHECK(test.ask(token_of(own)).status == 200);
  CHECK(test.ask(token_of(own)).status == 200);
  const auto refused = test.ask(token_of(own));
  CHECK(refused.status == 429);
  CHECK(std::stoi(header_of(refused, "Retry-After")) >= 1);
  CHECK(test.ask(token_of(other)).status == 200);
  CHECK(options.refusals->of(http::Refusal::kTokenRate) == 1);
}

TEST_CASE("a burst of failures is audited once, a collector that crosses the line each minute") {
  ApiOptions options;
  options.auth_failures_per_minute = 1'000;
  ApiUnderTest test(options);
  const Collector own = test.enrol(), other = test.enrol("other");
  for (int i = 0; i < 30; ++i) CHECK(test.ask(ApiUnderTest::request("GET", "/api/v1/collectors")).status == 401);
  CHECK(audited(test, "access.failures") == std::vector<std::string>{"address:192.0.2.1"});
  for (int i = 0; i < 5; ++i) {
    CHECK(test.ask(ApiUnderTest::as(own, ApiUnderTest::request("GET", "/api/v1/config/" + other.id))).status == 403);
  }
  CHECK(audited(test, "access.other_collector") == std::vector<std::string>{"collector:" + own.id});
  const std::string envelope = R"({"collector_id":")" + own.id + R"(","metrics":[]})";
  CHECK(test.ask(ApiUnderTest::as(other, ApiUnderTest::request("POST", "/api/v1/metrics/push", envelope))).status == 403);
  CHECK(audited(test, "access.other_collector").size() == 2);
  CHECK(test.ask(ApiUnderTest::as(own, ApiUnderTest::request("GET", "/api/v1/collectors"))).status == 403);  // a right it has not
  CHECK(audited(test, "access.other_collector").size() == 2);
  CHECK(options.refusals->of(http::Refusal::kOtherCollector) == 6);
  CHECK(options.refusals->of(http::Refusal::kRights) == 1);
}

TEST_CASE("a revocation by another server is learnt of, named once, and ends what was let in before") {
  ApiUnderTest test;
  const Collector own = test.enrol();
  CHECK(must(test.api->newly_revoked()).empty());
  const auto push = ApiUnderTest::as(own, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument));
  auto admission = (*test.api)(push);
  REQUIRE(std::holds_alternative<http::Accepted>(admission));
  REQUIRE(test.store->revoke_collector(own.id));  // as another server would
  CHECK(must(test.api->newly_revoked()) == std::vector<std::string>{own.id});
  CHECK(must(test.api->newly_revoked()).empty());
  const auto answer = std::get<http::Accepted>(admission).serve(push);
  CHECK(answer.status == 403);
  CHECK(error_code(answer) == "collector_revoked");
  CHECK(answer.ends_connection);
  CHECK(test.ask(push).status == 403);
  CHECK(audited(test, "access.revoked") == std::vector<std::string>{"collector:" + own.id});
}

TEST_CASE("a revoked collector's certificate is refused by any route of collectors, an admin's key beside it is not") {
  ApiUnderTest test;
  const Collector own = test.enrol();
  const std::string admin = test.key(store::Role::kAdmin);
  REQUIRE(test.store->revoke_collector(own.id));
  REQUIRE(must(test.api->newly_revoked()).size() == 1);
  auto list = ApiUnderTest::with_key(admin, ApiUnderTest::request("GET", "/api/v1/collectors"));
  list.peer = own.peer;
  CHECK(test.ask(list).status == 200);
  auto bare = ApiUnderTest::request("GET", "/api/v1/config/" + own.id);
  bare.peer = own.peer;
  CHECK(test.ask(bare).status == 403);
  bare.peer.reset();
  bare.expired_peer = own.peer;  // not even to renew
  bare.method = "POST";
  bare.path = "/api/v1/collectors/" + own.id + "/certificate";
  CHECK(error_code(test.ask(bare)) == "collector_revoked");
  auto again = enrolment(test.registration_token());
  again.peer = own.peer;
  CHECK(test.ask(again).status == 201);
}

TEST_CASE("keys that are none cost no query") {
  ApiUnderTest test;
  const auto list = ApiUnderTest::request("GET", "/api/v1/collectors");
  const std::string unknown = auth::new_api_key();
  CHECK(test.ask(ApiUnderTest::with_key(unknown, list)).status == 401);
  // It becomes good behind the server's back, which no key does: the answer from memory stays.
  must(test.store->add_api_key(auth::sha256_hex(unknown), store::Role::kAdmin));
  CHECK(test.ask(ApiUnderTest::with_key(unknown, list)).status == 401);
  CHECK(test.ask(ApiUnderTest::with_key(test.key(store::Role::kViewer), list)).status == 200);
}
