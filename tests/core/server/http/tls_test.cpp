// Who gets through the handshake, and as whom.
#include "core/server/http/tls.h"
#include "core/files/files.h"

#include "tests/core/server/http/server_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server::http;
using pganalytics::testing::TestAuthority;
using pganalytics::testing::TlsClient;

namespace {

std::string seen_as(const ServerUnderTest& test, const testing::TlsClientOptions& options) {
  TlsClient client(test.server->port(), options);
  return client.request("GET", "/echo").body;
}

}  // namespace

TEST_CASE("a peer is who its certificate says, if our CA says so too") {
  const ServerUnderTest test;
  CHECK(seen_as(test, test.client()) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "clientAuth"))) == std::string("GET /echo ") + kCollectorId);
}

TEST_CASE("a certificate that does not verify counts as not shown") {
  const ServerUnderTest test;
  CHECK(seen_as(test, test.client_with(TestAuthority("test CA").issue(kCollectorUri, "clientAuth"))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "clientAuth", {-7200, -3600}))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "clientAuth", {3600, 7200}))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "serverAuth"))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue("DNS:db1", "clientAuth"))) == "GET /echo stranger");
}

TEST_CASE("a certificate that expires while its connection lives is not good for the next request") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client_with(test.ca.issue(kCollectorUri, "clientAuth", {-60, 2})));
  CHECK(client.request("GET", "/echo").body == std::string("GET /echo ") + kCollectorId);
  std::string seen;
  for (int i = 0; i < 100'000 && seen != "GET /echo stranger"; ++i) seen = client.request("GET", "/echo").body;
  CHECK(seen == "GET /echo stranger");
}

TEST_CASE("TLS 1.3 or nothing, http/1.1 or nothing, no tickets, the CA in the chain") {
  const ServerUnderTest test;
  auto old = test.client();
  old.max_version = TLS1_2_VERSION;
  CHECK_THROWS(TlsClient(test.server->port(), old));
  auto h2 = test.client();
  h2.alpn = "h2";
  CHECK_THROWS(TlsClient(test.server->port(), h2));
  auto no_alpn = test.client();
  no_alpn.alpn = "";
  CHECK(seen_as(test, no_alpn) == "GET /echo stranger");
  TlsClient client(test.server->port(), test.client());
  CHECK(client.request("GET", "/echo").status == 200);
  CHECK_FALSE(client.resumable());
  CHECK(client.server_certificates() == 2);
}

TEST_CASE("TLS files that do not fit are refused with their names") {
  const ServerUnderTest test;
  const auto other = test.ca.issue("IP:127.0.0.1", "serverAuth");
  const std::string other_key = test.folder.path() + "/other.key";
  REQUIRE(files::write_atomically(other_key, other.key_pem, 0600));
  TlsFiles files{test.options.certificate_file, other_key, test.options.client_ca_file, ""};
  auto refused = make_tls_context(files);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(other_key) != std::string::npos);
  files.key_file = test.options.key_file;
  files.client_ca_file = "/nonexistent/ca.crt";
  refused = make_tls_context(files);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("/nonexistent/ca.crt") != std::string::npos);
}
