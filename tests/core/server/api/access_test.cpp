// Every route with every kind of caller.
#include "core/server/api/access.h"

#include <map>

#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

std::string flip_signature(std::string token) {
  char& c = token[token.size() - 10];
  c = c == 'A' ? 'B' : 'A';
  return token;
}

}  // namespace

TEST_CASE("who gets what, route by route") {
  ApiUnderTest test;
  const Collector own = test.enrol("own"), other = test.enrol("other");
  const std::string viewer = test.key(store::Role::kViewer), operator_key = test.key(store::Role::kOperator),
                    admin = test.key(store::Role::kAdmin);

  using Caller = std::function<http::Request(http::Request)>;
  const std::map<std::string, Caller> callers = {
      {"nobody", [](http::Request r) { return r; }},
      {"basic", [](http::Request r) { return r.headers["authorization"] = "Basic YTpi", r; }},
      {"bad key", [](http::Request r) { return ApiUnderTest::with_key("pga_nonsense", std::move(r)); }},
      {"viewer", [&](http::Request r) { return ApiUnderTest::with_key(viewer, std::move(r)); }},
      {"operator", [&](http::Request r) { return ApiUnderTest::with_key(operator_key, std::move(r)); }},
      {"admin", [&](http::Request r) { return ApiUnderTest::with_key(admin, std::move(r)); }},
      {"own", [&](http::Request r) { return ApiUnderTest::as(own, std::move(r)); }},
      {"other", [&](http::Request r) { return ApiUnderTest::as(other, std::move(r)); }},
      {"own certificate", [&](http::Request r) { return r.peer = own.peer, r; }},
      {"other certificate", [&](http::Request r) { return r.peer = other.peer, r; }},
      {"token alone", [&](http::Request r) { return ApiUnderTest::with_key(own.token, std::move(r)); }},
      {"stolen token", [&](http::Request r) { return r = ApiUnderTest::as(own, std::move(r)), r.peer = other.peer, r; }},
      {"own token, unknown certificate",
       [&](http::Request r) {
         return r = ApiUnderTest::as(own, std::move(r)), r.peer->thumbprint_sha256 = other.peer.thumbprint_sha256, r;
       }},
      {"tampered token",
       [&](http::Request r) {
         return r = ApiUnderTest::as(own, std::move(r)), r.headers["authorization"] = "Bearer " + flip_signature(own.token), r;
       }},
  };
  const std::string id = own.id;
  struct Row {
    std::string method, target, body;
    std::map<std::string, int> status;  // what is not named is refused with 401
  };
  const std::string config = R"({"intervals":{}})";
  const std::map<std::string, int> viewers = {{"viewer", 200}, {"operator", 200}, {"admin", 200}, {"own", 403}, {"other", 403}};
  const std::map<std::string, int> operators = {{"viewer", 403}, {"operator", 200}, {"admin", 200}, {"own", 403}, {"other", 403}};
  const std::map<std::string, int> keys_forbidden = {{"viewer", 403}, {"operator", 403}, {"admin", 403}};
  auto pushes = keys_forbidden;
  pushes.insert({{"own", 200}, {"other", 200}});
  auto renewals = keys_forbidden;
  renewals.insert({{"own", 400}, {"other", 403}});  // 400: the CSR is none, so it was let in
  const std::vector<Row> rows = {
      {"POST",
       "/api/v1/collectors/" + id + "/token",
       "",
       {{"own", 200},
        {"own certificate", 200},
        {"tampered token", 200},
        {"own token, unknown certificate", 403},
        {"other", 403},
        {"other certificate", 403},
        {"stolen token", 403}}},
      {"POST", "/api/v1/collectors/" + id + "/certificate", R"({"csr":"none"})", renewals},
      {"POST", "/api/v1/metrics/push", kDocument, pushes},
      {"GET", "/api/v1/config/" + id, "", {{"own", 200}, {"other", 403}, {"viewer", 403}, {"operator", 403}, {"admin", 200}}},
      {"PUT", "/api/v1/config/" + id, config, {{"own", 403}, {"other", 403}, {"viewer", 403}, {"operator", 403}, {"admin", 200}}},
      {"GET", "/api/v1/collectors", "", viewers},
      {"GET", "/api/v1/collectors/" + id, "", viewers},
      {"GET", "/api/v1/servers/" + id + "/metrics", "", viewers},
      {"GET", "/api/v1/config/" + id + "/history", "", operators},
      {"GET", "/api/v1/audit", "", operators},
      {"POST",
       "/api/v1/config/" + id + "/rollback",
       R"({"version":0})",
       {{"own", 403}, {"other", 403}, {"viewer", 403}, {"operator", 403}, {"admin", 200}}},
      {"DELETE",
       "/api/v1/collectors/" + id,
       "",
       {{"own", 403}, {"other", 403}, {"viewer", 403}, {"operator", 403}, {"admin", 204}}},
  };
  for (const Row& row : rows) {
    for (const auto& [name, caller] : callers) {
      if (row.method == "DELETE" && name == "admin") continue;  // last of all: see below
      CAPTURE(row.method, row.target, name);
      const auto answer = test.ask(caller(ApiUnderTest::request(row.method, row.target, row.body)));
      const auto expected = row.status.find(name);
      CHECK(answer.status == (expected == row.status.end() ? 401 : expected->second));
      if (answer.status == 401) CHECK(header_of(answer, "WWW-Authenticate") == "Bearer");
      if (answer.status >= 400) CHECK_FALSE(error_code(answer).empty());
    }
  }
  CHECK(test.ask(callers.at("admin")(ApiUnderTest::request("DELETE", "/api/v1/collectors/" + id))).status == 204);
}

TEST_CASE("health is for everyone") {
  ApiUnderTest test;
  const auto answer = test.ask(ApiUnderTest::request("GET", "/api/v1/health"));
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"status":"ok"})");  // strangers get no more
}

TEST_CASE("why the server is ill is for those who have a key") {
  ApiOptions options;
  ApiUnderTest test(options);
  const auto health = ApiUnderTest::request("GET", "/api/v1/health");
  const auto details =
      ApiUnderTest::with_key(test.key(store::Role::kViewer), ApiUnderTest::request("GET", "/api/v1/health/details"));
  CHECK(test.ask(ApiUnderTest::request("GET", "/api/v1/health/details")).status == 401);
  CHECK(test.ask(details).status == 200);
  const auto reason = [&] {
    const auto answer = test.ask(details);
    CHECK(answer.status == 503);
    CHECK(test.ask(health).status == 503);
    return std::string(parsed(answer)["reasons"][0]["code"].GetString());
  };
  Condition& condition = *options.condition;
  condition.rollup_lag_s = 3'601;
  CHECK(reason() == "ingest_lag");
  condition.rollup_lag_s = 3'600;
  CHECK(test.ask(health).status == 200);
  condition.disk_free_bytes = (64 << 20) - 1;
  CHECK(reason() == "disk_nearly_full");
  condition.disk_free_bytes = 64 << 20;
  CHECK(test.ask(health).status == 200);
  condition.draining = true;
  CHECK(reason() == "draining");
}

TEST_CASE("a revoked collector is out at once, and what it sent stays") {
  ApiUnderTest test;
  const Collector collector = test.enrol();
  const std::string admin = test.key(store::Role::kAdmin);
  CHECK(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument))).status == 200);
  CHECK(test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("DELETE", "/api/v1/collectors/" + collector.id))).status ==
        204);
  for (const auto& request : {ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument),
                              ApiUnderTest::request("GET", "/api/v1/config/" + collector.id),
                              ApiUnderTest::request("POST", "/api/v1/collectors/" + collector.id + "/token")}) {
    CAPTURE(request.path);
    const auto answer = test.ask(ApiUnderTest::as(collector, request));
    CHECK(answer.status == 403);
    CHECK(error_code(answer) == "collector_revoked");
  }
  const auto page =
      test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("GET", "/api/v1/servers/" + collector.id + "/metrics")));
  CHECK(parsed(page)["metrics"].Size() == 1);
  CHECK(test.ask(ApiUnderTest::with_key(admin, ApiUnderTest::request("DELETE", "/api/v1/collectors/" + collector.id))).status ==
        204);
}

TEST_CASE("authorisation is decided by the head alone") {
  ApiUnderTest test;
  auto head = ApiUnderTest::request("POST", "/api/v1/metrics/push");
  head.headers["content-type"] = "text/plain";  // a stranger does not learn that this is wrong, too
  CHECK(std::get<http::Response>((*test.api)(head)).status == 401);
  const Collector collector = test.enrol();
  CHECK(std::get<http::Response>((*test.api)(ApiUnderTest::as(collector, head))).status == 415);
  head.headers["content-type"] = "Application/JSON; charset=utf-8";
  const auto accepted = (*test.api)(ApiUnderTest::as(collector, head));
  REQUIRE(std::holds_alternative<http::Accepted>(accepted));
  CHECK(std::get<http::Accepted>(accepted).body_bytes == 1u << 20);
  CHECK(std::get<http::Accepted>(accepted).needs_body);
  CHECK(std::get<http::Accepted>(accepted).authenticated);
  head.headers["content-encoding"] = "br";
  CHECK(std::get<http::Response>((*test.api)(ApiUnderTest::as(collector, head))).status == 415);
}

TEST_CASE("too many pushes of one collector get 429 and when to come back; others are not held up") {
  ApiOptions options;
  options.push_per_second = 0.01;
  options.push_burst = 2;
  ApiUnderTest test(options);
  const Collector busy = test.enrol("busy"), calm = test.enrol("calm");
  const auto push = [&](const Collector& collector) {
    return test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument)));
  };
  CHECK(push(busy).status == 200);
  CHECK(push(busy).status == 200);
  const auto answer = push(busy);
  CHECK(answer.status == 429);
  CHECK(std::stoi(header_of(answer, "Retry-After")) > 10);
  CHECK(push(calm).status == 200);
}

TEST_CASE("that a key is used is written down, though its role may not do what it asks") {
  ApiUnderTest test;
  const std::string key = test.key(store::Role::kViewer);
  CHECK(test.store->api_keys().value().at(0).last_used_unix_ns == 0);
  CHECK(test.ask(ApiUnderTest::with_key(key, ApiUnderTest::request("GET", "/api/v1/audit"))).status == 403);
  CHECK(test.store->api_keys().value().at(0).last_used_unix_ns > 0);
}
