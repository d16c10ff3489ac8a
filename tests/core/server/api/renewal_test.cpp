// Certificates after enrolment: renewed, replaced, over, copied; and the CA bundle that collectors follow.
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/server/auth/ca_files.h"
#include "core/server/auth/certificate_template.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;
using pganalytics::testing::must;

namespace {

constexpr std::int64_t kDayNs = 86'400LL * 1'000'000'000;

std::string body_with_csr(EVP_PKEY* key) {
  JsonWriter json;
  json.begin_object().member("csr", must(crypto::make_csr(key, "x"))).end_object();
  return std::string(json.text());
}

http::PeerCertificate peer_of(const std::string& id, const std::string& pem) {
  const auto certificate = must(crypto::parse_certificate(pem));
  return {id, crypto::certificate_thumbprint(certificate.get()), crypto::public_key_sha256(X509_get0_pubkey(certificate.get())),
          auth::not_before_unix_ns(certificate.get()), auth::not_after_unix_ns(certificate.get())};
}

struct Renewals : ApiUnderTest {
  explicit Renewals(const ApiOptions& options = {}) : ApiUnderTest(options) {}

  Collector collector = enrol();

  http::Request renewal(EVP_PKEY* key) const {
    return request("POST", "/api/v1/collectors/" + collector.id + "/certificate", body_with_csr(key));
  }
  http::Response renew(const Collector& with, EVP_PKEY* key) { return ask(as(with, renewal(key))); }
  // With the expired certificate alone.
  http::Response renew_late(const http::PeerCertificate& expired, EVP_PKEY* key) {
    auto asked = renewal(key);
    asked.expired_peer = expired;
    return ask(asked);
  }
  // The collector with a certificate that it just got, and a token for it: its first use.
  Collector with(const http::Response& renewed) {
    Collector next{collector.id, peer_of(collector.id, parsed(renewed)["cert"].GetString()), ""};
    const auto token = token_for(next.peer);
    REQUIRE(token.status == 200);
    next.token = parsed(token)["token"].GetString();
    return next;
  }
  http::Response token_for(const http::PeerCertificate& peer) {
    auto asked = request("POST", "/api/v1/collectors/" + collector.id + "/token");
    asked.peer = peer;
    return ask(asked);
  }
  http::Response push(const Collector& as_whom) { return ask(as(as_whom, request("POST", "/api/v1/metrics/push", kDocument))); }
  [[nodiscard]] http::PeerCertificate ended(std::int64_t days_ago) const {
    http::PeerCertificate peer = collector.peer;
    peer.not_after_unix_ns = clock::now_unix_ns() - days_ago * kDayNs;
    return peer;
  }
  rapidjson::Document detail() {
    return parsed(ask(with_key(key(store::Role::kViewer), request("GET", "/api/v1/collectors/" + collector.id))));
  }
};

}  // namespace

TEST_CASE("old and new certificate are good until the new one speaks, then the old one is told why it is not") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  const auto renewed = test.renew(test.collector, key.get());
  REQUIRE(renewed.status == 200);
  CHECK(header_of(renewed, "Cache-Control") == "no-store");
  CHECK(parsed(renewed)["ca"] == test.authority->ca_bundle().c_str());
  CHECK(test.push(test.collector).status == 200);
  const Collector next = test.with(renewed);
  CHECK(test.push(next).status == 200);
  for (const auto& refused : {test.push(test.collector), test.token_for(test.collector.peer)}) {
    CHECK(refused.status == 403);
    CHECK(error_code(refused) == "certificate_superseded");
    CHECK(error_message(refused).find("register anew") != std::string::npos);
  }
  CHECK(test.push(next).status == 200);
}

TEST_CASE("a renewal whose answer was lost is asked again and gets the same certificate; a key is good for one") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  const auto first = test.renew(test.collector, key.get()), again = test.renew(test.collector, key.get());
  REQUIRE(first.status == 200);
  REQUIRE(again.status == 200);
  CHECK(parsed(first)["cert"] == parsed(again)["cert"]);
  const Collector next = test.with(again);
  const auto reused = test.renew(next, key.get());
  CHECK(reused.status == 400);
  CHECK(error_code(reused) == "same_key");
  CHECK(test.push(next).status == 200);
}

TEST_CASE("an expired certificate renews itself without a token, and does nothing else") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  const auto expired = test.ended(29);
  auto push = ApiUnderTest::as(test.collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", kDocument));
  push.peer.reset();
  push.expired_peer = expired;
  CHECK(test.ask(push).status == 401);
  for (const char* path : {"/token", "/certificate"}) {
    auto asked = ApiUnderTest::as(test.collector, ApiUnderTest::request("POST", "/api/v1/collectors/" + test.collector.id + path,
                                                                        body_with_csr(key.get())));
    asked.peer.reset();
    asked.expired_peer = expired;
    CHECK(test.ask(asked).status == 401);
  }
  auto ca = ApiUnderTest::request("GET", "/api/v1/ca");
  ca.expired_peer = expired;
  CHECK(test.ask(ca).status == 401);

  const auto renewed = test.renew_late(expired, key.get());
  REQUIRE(renewed.status == 200);
  CHECK(test.push(test.with(renewed)).status == 200);
  CHECK(test.detail()["late_renewals"] == 1);
  CHECK(error_code(test.renew_late(expired, key.get())) == "certificate_superseded");
}

TEST_CASE("a certificate that ended long ago, of another, of a revoked collector, or of a stranger renews nothing") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  const auto late = test.renew_late(test.ended(31), key.get());
  CHECK(late.status == 403);
  CHECK(error_code(late) == "certificate_expired");
  CHECK(test.ask(test.renewal(key.get())).status == 401);
  auto other = test.ended(1);
  other.collector_id = kNobody;
  CHECK(test.renew_late(other, key.get()).status == 403);
  auto older = test.ended(1);
  older.thumbprint_sha256 = "unknown";
  older.not_before_unix_ns -= kDayNs;
  CHECK(error_code(test.renew_late(older, key.get())) == "certificate_superseded");
  must(test.store->revoke_collector(test.collector.id));
  CHECK(error_code(test.renew_late(test.ended(1), key.get())) == "collector_revoked");
}

TEST_CASE("three late renewals in a row, and a renewal in time starts the count again") {
  Renewals test;
  const auto late = [&] {
    const crypto::Key key = must(crypto::make_p256_key());
    const auto renewed = test.renew_late(test.ended(1), key.get());
    if (renewed.status == 200) test.collector = test.with(renewed);
    return renewed;
  };
  for (int i = 0; i < 3; ++i) CHECK(late().status == 200);
  CHECK(error_code(late()) == "late_renewals_exhausted");
  const crypto::Key key = must(crypto::make_p256_key());
  test.collector = test.with(test.renew(test.collector, key.get()));
  CHECK(test.detail()["late_renewals"] == 0);
  CHECK(late().status == 200);
}

TEST_CASE("the certificate of a server-made key is short, told of, and renewed with a key of the collector's own only") {
  ApiOptions options;
  options.certificate_life_ms = 7LL * 86'400'000;
  ApiUnderTest test(options);
  auto enrolment = ApiUnderTest::request("POST", "/api/v1/collectors/register", R"({"name":"db1","hostname":"h"})");
  enrolment.headers["x-registration-secret"] = test.registration_token();
  const auto answer = test.ask(enrolment);
  REQUIRE(answer.status == 201);
  const auto document = parsed(answer);
  const std::string id = document["id"].GetString();
  Collector collector{id, peer_of(id, document["cert"].GetString()), document["token"].GetString()};
  CHECK(collector.peer.not_after_unix_ns <= clock::now_unix_ns() + kDayNs);
  const auto origin = [&] {
    const auto row = ApiUnderTest::request("GET", "/api/v1/collectors/" + id);
    return std::string(parsed(test.ask(ApiUnderTest::with_key(test.key(store::Role::kViewer), row)))["key_origin"].GetString());
  };
  CHECK(origin() == "server");
  const auto renew = [&](EVP_PKEY* key) {
    return test.ask(ApiUnderTest::as(
        collector, ApiUnderTest::request("POST", "/api/v1/collectors/" + id + "/certificate", body_with_csr(key))));
  };
  CHECK(test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/collectors/" + id + "/certificate", "{}")))
            .status == 400);
  const auto same = renew(must(crypto::parse_private_key(document["key"].GetString())).get());
  CHECK(error_code(same) == "same_key");
  const auto renewed = renew(must(crypto::make_p256_key()).get());
  REQUIRE(renewed.status == 200);
  CHECK(origin() == "server");  // until it is used
  collector.peer = peer_of(id, parsed(renewed)["cert"].GetString());
  auto token = ApiUnderTest::request("POST", "/api/v1/collectors/" + id + "/token");
  token.peer = collector.peer;
  CHECK(test.ask(token).status == 200);
  CHECK(origin() == "collector");
}

TEST_CASE("a server that makes no keys says so, and keeps the token for a CSR") {
  ApiOptions options;
  options.server_keys = false;
  ApiUnderTest test(options);
  const std::string token = test.registration_token();
  auto simple = ApiUnderTest::request("POST", "/api/v1/collectors/register", R"({"name":"db1","hostname":"h"})");
  simple.headers["x-registration-secret"] = token;
  const auto refused = test.ask(simple);
  CHECK(refused.status == 403);
  CHECK(error_code(refused) == "csr_required");
  JsonWriter json;
  json.begin_object().member("name", "db1").member("hostname", "h");
  json.member("csr", must(crypto::make_csr(must(crypto::make_p256_key()).get(), "x"))).end_object();
  simple.body = json.text();
  CHECK(test.ask(simple).status == 201);
}

TEST_CASE("what happened to certificates is audited") {
  Renewals test;
  const Collector old = test.collector;
  const auto expired = test.ended(1);
  test.collector = test.with(test.renew_late(expired, must(crypto::make_p256_key()).get()));
  CHECK(test.push(old).status == 403);
  CHECK(test.push(old).status == 403);
  auto newer = test.collector.peer;
  newer.thumbprint_sha256 = "from before a restore";
  newer.not_before_unix_ns += kDayNs;
  CHECK(test.token_for(newer).status == 200);
  const auto& postgres = testing::PostgresServer::shared();
  const auto audited = [&](const std::string& where) {
    return postgres.value(test.database,
                          "select count(*) from pganalytics.audit where subject = '" + test.collector.id + "' and " + where);
  };
  CHECK(audited("action = 'collector.enrol' and detail ->> 'key_origin' = 'collector'") == "1");
  CHECK(audited("action = 'collector.renew' and detail ->> 'late' = 'true'") == "1");
  const std::string from = " and address = '192.0.2.1'";
  CHECK(audited("action = 'collector.certificate_superseded'" + from) == "1");  // once, not for each try
  CHECK(audited("action = 'collector.certificate_adopted'" + from) == "1");
}

TEST_CASE("a collector follows the CA bundle, and the server knows who has it") {
  Renewals test;
  auto ask_ca = ApiUnderTest::request("GET", "/api/v1/ca");
  CHECK(test.ask(ask_ca).status == 401);
  ask_ca.peer = test.collector.peer;
  const auto first = test.ask(ask_ca);
  REQUIRE(first.status == 200);
  CHECK(parsed(first)["ca"] == test.authority->ca_pem().c_str());
  const std::string etag = header_of(first, "ETag");
  ask_ca.headers["if-none-match"] = etag;
  const auto same = test.ask(ask_ca);
  CHECK(same.status == 304);
  CHECK(header_of(same, "ETag") == etag);
  CHECK(must(test.store->collector(test.collector.id)).ca_etag == etag);

  must(auth::begin_ca_rotation(auth::CaFiles(test.folder.path()), clock::now_unix_ns()));
  REQUIRE(must(test.authority->refresh()));
  const auto two = test.ask(ask_ca);
  REQUIRE(two.status == 200);
  const std::string bundle = parsed(two)["ca"].GetString();
  CHECK(bundle == test.authority->ca_bundle());
  CHECK(bundle.size() > test.authority->ca_pem().size());
  CHECK(must(test.store->collector(test.collector.id)).ca_etag == etag);
}

TEST_CASE("health tells when the server's certificate ends, and whether that is soon") {
  std::atomic<std::int64_t> until{clock::now_unix_ns() + 31 * kDayNs};
  ApiOptions options;
  options.certificate_until_unix_ns = &until;
  ApiUnderTest test(options);
  const std::string viewer = test.key(store::Role::kViewer);
  const auto told = [&] {
    const auto details = ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/health/details"));
    return std::string(parsed(test.ask(details))["certificate"].GetString());
  };
  CHECK(told() == "ok");
  until = clock::now_unix_ns() + 29 * kDayNs;
  CHECK(told() == "expires soon");
  until = clock::now_unix_ns() - 1;
  CHECK(told() == "expired");
}

TEST_CASE("a renewal that is asked for again is one entry in the audit log") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  for (int i = 0; i < 3; ++i) CHECK(test.renew(test.collector, key.get()).status == 200);
  CHECK(testing::PostgresServer::shared().value(
            test.database, "select count(*) from pganalytics.audit where action = 'collector.renew'") == "1");
}

TEST_CASE("a collector that is revoked while its request for a certificate comes in gets none") {
  Renewals test;
  const crypto::Key key = must(crypto::make_p256_key());
  const auto request = ApiUnderTest::as(test.collector, test.renewal(key.get()));
  http::Request head = request;
  head.body.clear();
  auto admission = (*test.api)(head);
  REQUIRE(std::holds_alternative<http::Accepted>(admission));
  must(test.store->revoke_collector(test.collector.id));  // by another server: this one does not know yet
  const auto answer = std::get<http::Accepted>(admission).serve(request);
  CHECK(answer.status == 403);
  CHECK(error_code(answer) == "collector_revoked");
}

TEST_CASE("an expired certificate that asks for another's renewal is told of by its name") {
  Renewals test;
  const Collector other = test.enrol("other");
  auto asked = ApiUnderTest::request("POST", "/api/v1/collectors/" + other.id + "/certificate",
                                     body_with_csr(must(crypto::make_p256_key()).get()));
  asked.expired_peer = test.ended(1);
  CHECK(test.ask(asked).status == 403);
  CHECK(testing::PostgresServer::shared().value(
            test.database, "select actor || ' ' || subject from pganalytics.audit where action = 'access.other_collector'") ==
        "collector:" + test.collector.id + " " + other.id);
}
