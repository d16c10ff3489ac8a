#include <pganalytics/json.hpp>

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/server/auth/secret_text.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

constexpr const char* kPath = "/api/v1/collectors/register";

std::string body_with(const std::string& more = {}) { return R"({"name":"db1","hostname":"db1.example")" + more + "}"; }

http::Request enrolment(const std::string& token, const std::string& body = body_with()) {
  auto request = ApiUnderTest::request("POST", kPath, body);
  if (!token.empty()) request.headers["x-registration-secret"] = token;
  return request;
}

std::string csr_member(EVP_PKEY* key) {
  JsonWriter json;
  json.value(crypto::make_csr(key, "somebody else").value());
  return ",\"csr\":" + std::string(json.text());
}

}  // namespace

TEST_CASE("the simple form: a token becomes id, key, certificate and access token that work at once") {
  ApiUnderTest test;
  const auto answer = test.ask(enrolment(test.registration_token()));
  REQUIRE(answer.status == 201);
  CHECK(header_of(answer, "Cache-Control") == "no-store");
  const auto document = parsed(answer);
  const std::string id = document["id"].GetString();
  CHECK(header_of(answer, "Location") == "/api/v1/collectors/" + id);
  CHECK(document["expires_at"].IsString());
  CHECK(document["ca"] == test.authority->ca_pem().c_str());
  const crypto::Certificate certificate = crypto::parse_certificate(document["cert"].GetString()).value();
  const crypto::Key key = crypto::parse_private_key(document["key"].GetString()).value();
  CHECK(X509_check_private_key(certificate.get(), key.get()) == 1);
  const Collector collector{id, {id, crypto::certificate_thumbprint(certificate.get()), ""}, document["token"].GetString()};
  CHECK(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument))).status == 200);
}

TEST_CASE("with a CSR no key is made here") {
  ApiUnderTest test;
  const crypto::Key key = crypto::make_p256_key().value();
  const auto answer = test.ask(enrolment(test.registration_token(), body_with(csr_member(key.get()))));
  REQUIRE(answer.status == 201);
  CHECK_FALSE(parsed(answer).HasMember("key"));
  const crypto::Certificate certificate = crypto::parse_certificate(parsed(answer)["cert"].GetString()).value();
  CHECK(X509_check_private_key(certificate.get(), key.get()) == 1);
}

TEST_CASE("the token may come in the body instead") {
  ApiUnderTest test;
  const auto member = [](const std::string& token) { return ",\"registration_token\":\"" + token + "\""; };
  CHECK(test.ask(enrolment("", body_with(member(test.registration_token())))).status == 201);
  CHECK(test.ask(enrolment("", body_with(member("pge_wrong")))).status == 401);
}

TEST_CASE("a token that is missing, none of ours, used up or for another host is 401 and tells nobody which") {
  ApiOptions options;
  options.enrol_failures = 100;
  ApiUnderTest test(options);
  const std::string used = test.registration_token();
  REQUIRE(test.ask(enrolment(used)).status == 201);
  for (const std::string& token :
       {std::string(), std::string("pge_nonsense"), auth::new_registration_token(), used, test.registration_token(1, "other*")}) {
    CAPTURE(token);
    const auto answer = test.ask(enrolment(token));
    CHECK(answer.status == 401);
    CHECK(error_code(answer) == "registration_refused");
  }
  CHECK(test.ask(enrolment(test.registration_token(1, "db*.example"))).status == 201);
}

TEST_CASE("a retry of the same enrolment gets the same collector") {
  ApiUnderTest test;
  const std::string token = test.registration_token();
  const crypto::Key key = crypto::make_p256_key().value();
  const std::string body = body_with(csr_member(key.get()) + ",\"enrollment_id\":\"" + crypto::uuid_v4() + "\"");
  const auto first = test.ask(enrolment(token, body)), second = test.ask(enrolment(token, body));
  REQUIRE(first.status == 201);
  REQUIRE(second.status == 201);
  CHECK(parsed(first)["id"] == parsed(second)["id"]);
  const crypto::Key other = crypto::make_p256_key().value();
  CHECK(test.ask(enrolment(token, body_with(csr_member(other.get())))).status == 401);
}

TEST_CASE("bad bodies are 400, name the member, and do not use the token up") {
  ApiUnderTest test;
  const std::string token = test.registration_token();
  for (const auto& [body, named] : std::initializer_list<std::pair<std::string, std::string>>{
           {"{", "not JSON"},
           {"[]", "not a JSON object"},
           {R"({"hostname":"h"})", "name: "},
           {R"({"name":"n"})", "hostname: "},
           {R"({"name":5,"hostname":"h"})", "name: "},
           {R"({"name":"","hostname":"h"})", "name: "},
           {R"({"name":"a\nb","hostname":"h"})", "name: "},
           {R"({"name":"a\u0000b","hostname":"h"})", "name: "},
           {R"({"name":")" + std::string(256, 'n') + R"(","hostname":"h"})", "name: "},
           {body_with(R"(,"host_name":"x")"), "\"hostname\""},
           {body_with(R"(,"enrollment_id":"x")"), "enrollment_id: "},
           {body_with(R"(,"csr":"x")"), "csr: "},
           {R"({"name":"n","name":"m","hostname":"h"})", "not JSON"}}) {
    CAPTURE(body);
    const auto answer = test.ask(enrolment(token, body));
    CHECK(answer.status == 400);
    CHECK(error_message(answer).find(named) != std::string::npos);
  }
  CHECK(test.ask(enrolment(token)).status == 201);
}

TEST_CASE("enrolments of one address are limited") {
  ApiOptions options;
  options.enrol_per_minute = 2;
  ApiUnderTest test(options);
  CHECK(test.ask(enrolment("pge_a")).status == 401);
  CHECK(test.ask(enrolment("pge_b")).status == 401);
  const auto answer = test.ask(enrolment("pge_c"));
  CHECK(answer.status == 429);
  CHECK(std::stoi(header_of(answer, "Retry-After")) >= 1);
  auto elsewhere = enrolment("pge_d");
  elsewhere.remote_address = "192.0.2.2";
  CHECK(test.ask(elsewhere).status == 401);
}

TEST_CASE("a collector renews its token and its certificate") {
  ApiUnderTest test;
  const Collector collector = test.enrol();
  const std::string base = "/api/v1/collectors/" + collector.id;
  auto request = ApiUnderTest::request("POST", base + "/token");
  request.peer = collector.peer;
  const auto token = test.ask(request);
  CHECK(token.status == 200);
  CHECK(header_of(token, "Cache-Control") == "no-store");
  Collector renewed = collector;
  renewed.token = parsed(token)["token"].GetString();
  CHECK(test.ask(ApiUnderTest::as(renewed, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument))).status == 200);

  const crypto::Key key = crypto::make_p256_key().value();
  const std::string body = "{" + csr_member(key.get()).substr(1) + "}";
  const auto answer = test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", base + "/certificate", body)));
  REQUIRE(answer.status == 200);
  const crypto::Certificate certificate = crypto::parse_certificate(parsed(answer)["cert"].GetString()).value();
  CHECK(X509_check_private_key(certificate.get(), key.get()) == 1);
  for (const char* bad : {"{}", R"({"csr":5})", R"({"csr":"x","key":"y"})", "nonsense"}) {
    CHECK(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", base + "/certificate", bad))).status == 400);
  }
}

TEST_CASE("an enrolment that cannot be written into the audit log is 503 and did not happen") {
  ApiUnderTest test;
  const auto& postgres = testing::PostgresServer::shared();
  const std::string token = test.registration_token();
  const crypto::Key key = crypto::make_p256_key().value();
  const std::string body = body_with(csr_member(key.get()) + ",\"enrollment_id\":\"" + crypto::uuid_v4() + "\"");
  postgres.sql(test.database, R"(
    create function pganalytics.fail() returns trigger language plpgsql as $$
      begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
    create trigger fail before insert on pganalytics.audit for each row execute function pganalytics.fail())");
  const auto refused = test.ask(enrolment(token, body));
  CHECK(refused.status == 503);
  CHECK(postgres.value(test.database, "select count(*) from pganalytics.collectors") == "0");
  CHECK(postgres.value(test.database, "select uses_left from pganalytics.registration_tokens") == "1");
  postgres.sql(test.database, "drop trigger fail on pganalytics.audit");
  for (int i = 0; i < 2; ++i) CHECK(test.ask(enrolment(token, body)).status == 201);
  CHECK(postgres.value(
            test.database,
            "select count(*) || ' ' || min(detail ->> 'token') from pganalytics.audit where action = 'collector.enrol'") ==
        "1 token:1");
}

TEST_CASE("a repeated enrolment brings neither a revoked collector back nor one that has renewed since") {
  ApiUnderTest test;
  const std::string token = test.registration_token(2);
  const auto enrol = [&](EVP_PKEY* key, const std::string& id) {
    return test.ask(enrolment(token, body_with(csr_member(key) + ",\"enrollment_id\":\"" + id + "\"")));
  };
  const crypto::Key key = crypto::make_p256_key().value(), other = crypto::make_p256_key().value();
  const std::string first = crypto::uuid_v4(), second = crypto::uuid_v4();
  const auto revoked = enrol(key.get(), first), renewed = enrol(other.get(), second);
  REQUIRE(revoked.status == 201);
  REQUIRE(renewed.status == 201);
  REQUIRE(test.store->revoke_collector(parsed(revoked)["id"].GetString()));
  testing::PostgresServer::shared().sql(test.database, "update pganalytics.certificates set superseded_at = now()");
  for (const auto& answer : {enrol(key.get(), first), enrol(other.get(), second)}) {
    CHECK(answer.status == 401);
    CHECK(error_code(answer) == "registration_refused");
  }
}
