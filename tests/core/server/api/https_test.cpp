// The whole way: TLS, certificate, token, push, read.
#include "core/server/http/https_server.h"

#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/tls_client.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;
using pganalytics::testing::TlsClient;

namespace {

const std::string kJson = "Content-Type: application/json\r\n";
const std::string kPush = "/api/v1/metrics/push";

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

rapidjson::Document parsed_body(const testing::Answer& answer) {
  http::Response response;
  response.body = answer.body;
  return parsed(response);
}

}  // namespace

TEST_CASE("enrol, push and read back over TLS") {
  ApiUnderTest test;
  http::ServerOptions options;
  options.certificate_file = test.authority->server_certificate_file();
  options.key_file = test.authority->server_key_file();
  options.client_ca_file = options.chain_ca_file = test.authority->ca_file();
  auto server = http::HttpsServer::start(options, std::ref(*test.api));
  REQUIRE(server);
  const std::uint16_t port = (*server)->port();
  testing::TlsClientOptions client{test.authority->ca_pem(), std::nullopt, TLS1_3_VERSION, "http/1.1"};

  TlsClient newcomer(port, client);
  CHECK(newcomer.server_certificates() == 2);
  const auto enrolled = newcomer.request("POST", "/api/v1/collectors/register",
                                         kJson + "X-Registration-Secret: " + test.registration_token() + "\r\n",
                                         R"({"name":"db1","hostname":"db1.example"})");
  REQUIRE(enrolled.status == 201);
  const auto identity = parsed_body(enrolled);
  const std::string token = identity["token"].GetString();

  auto known = client;
  known.certificate = testing::KeyPair{identity["key"].GetString(), identity["cert"].GetString()};
  TlsClient collector(port, known);
  const auto pushed = collector.request("POST", kPush, kJson + bearer(token), kDocument);
  CHECK(pushed.status == 200);
  CHECK(parsed_body(pushed)["metrics_count"] == 1);
  const auto renewed = collector.request("POST", "/api/v1/collectors/" + std::string(identity["id"].GetString()) + "/token");
  CHECK(renewed.status == 200);
  CHECK(collector.request("POST", kPush, kJson + bearer(parsed_body(renewed)["token"].GetString()), kDocument).status == 200);

  // No certificate, another CA's certificate, no body, no type.
  CHECK(TlsClient(port, client).request("POST", kPush, kJson + bearer(token), kDocument).status == 401);
  auto foreign = client;
  foreign.certificate = testing::TestAuthority().issue_client(identity["id"].GetString());
  CHECK(TlsClient(port, foreign).request("POST", kPush, kJson + bearer(token), kDocument).status == 401);
  CHECK(collector.request("POST", kPush, kJson + bearer(token)).status == 411);
  CHECK(collector.request("POST", kPush, bearer(token), kDocument).status == 415);

  TlsClient reader(port, client);
  const auto page = reader.request("GET", "/api/v1/servers/" + std::string(identity["id"].GetString()) + "/metrics?type=sysstat",
                                   bearer(test.key(store::Role::kViewer)));
  CHECK(page.status == 200);
  CHECK(parsed_body(page)["metrics"].Size() == 2);
  CHECK(reader.request("HEAD", "/api/v1/health").status == 200);
  CHECK(reader.request("GET", "/nowhere").status == 404);
}
