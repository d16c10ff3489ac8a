#include "tests/core/server/api/api_under_test.h"

#include <pganalytics/json.hpp>
#include <stdexcept>
#include <variant>

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/secret_text.h"
#include "core/server/http/target.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

namespace pganalytics::server::api {
namespace {

using testing::must;

std::string conninfo_of(const std::string& database) { return testing::PostgresServer::shared().conninfo(database); }

}  // namespace

ApiUnderTest::ApiUnderTest(ApiOptions options, const std::string& conninfo)
    : database(conninfo.empty() ? testing::PostgresServer::shared().new_database() : std::string()),
      store(must(store::Store::open({conninfo.empty() ? conninfo_of(database) : conninfo, 4}))),
      authority(must(auth::Authority::open(folder.path(), {}))),
      signer(must(auth::TokenSigner::open(folder.path()))),
      api(std::make_unique<Api>(*store, *authority, *signer, std::move(options))) {}

http::Response ApiUnderTest::ask(const http::Request& request) {
  http::Request head = request;
  head.body.clear();
  auto admission = (*api)(head);
  if (auto* refusal = std::get_if<http::Response>(&admission)) return *refusal;
  return std::get<http::Accepted>(admission).serve(request);
}

std::string ApiUnderTest::registration_token(std::uint32_t uses, const std::string& hostname_glob) {
  const std::string token = auth::new_registration_token();
  must(store->add_registration_token(auth::sha256_hex(token), uses, 60'000, hostname_glob));
  return token;
}

std::string ApiUnderTest::key(store::Role role) {
  const std::string key = auth::new_api_key();
  must(store->add_api_key(auth::sha256_hex(key), role));
  return key;
}

Collector ApiUnderTest::enrol(const std::string& name) {
  const crypto::Key key = must(crypto::make_p256_key());
  JsonWriter json;
  json.begin_object().member("name", name).member("hostname", name + ".example");
  json.member("csr", must(crypto::make_csr(key.get(), name))).end_object();
  auto enrolment = request("POST", "/api/v1/collectors/register", std::string(json.text()));
  enrolment.headers["x-registration-secret"] = registration_token();
  const http::Response answer = ask(enrolment);
  if (answer.status != 201) throw std::runtime_error("enrol: " + answer.body);
  const auto document = parsed(answer);
  const crypto::Certificate certificate = must(crypto::parse_certificate(document["cert"].GetString()));
  Collector collector{document["id"].GetString(), {}, document["token"].GetString()};
  collector.peer = {collector.id, crypto::certificate_thumbprint(certificate.get()), crypto::public_key_sha256(key.get()),
                    auth::not_before_unix_ns(certificate.get()), auth::not_after_unix_ns(certificate.get())};
  return collector;
}

http::Request ApiUnderTest::request(const std::string& method, const std::string& text, const std::string& body) {
  http::Request request;
  auto target = must(http::parse_target(text));
  request.method = method;
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  request.body = body;
  request.remote_address = "192.0.2.1";
  if (!body.empty()) request.headers["content-type"] = "application/json";
  return request;
}

http::Request ApiUnderTest::as(const Collector& collector, http::Request request) {
  request.peer = collector.peer;
  request.headers["authorization"] = "Bearer " + collector.token;
  return request;
}

http::Request ApiUnderTest::with_key(const std::string& key, http::Request request) {
  request.headers["authorization"] = "Bearer " + key;
  return request;
}

rapidjson::Document parsed(const http::Response& response) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseFullPrecisionFlag>(response.body);
  INFO(response.body);
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

namespace {

std::string error_member(const http::Response& response, const char* name) {
  const auto document = parsed(response);
  INFO(response.body);
  REQUIRE((document.IsObject() && document.HasMember("error") && document["error"].IsObject()));
  REQUIRE((document["error"].HasMember(name) && document["error"][name].IsString()));
  return document["error"][name].GetString();
}

}  // namespace

std::string error_code(const http::Response& response) { return error_member(response, "code"); }
std::string error_message(const http::Response& response) { return error_member(response, "message"); }

std::string header_of(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace pganalytics::server::api
