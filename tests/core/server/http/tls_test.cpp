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
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "clientAuth", {3600, 7200}))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "serverAuth"))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue("DNS:db1", "clientAuth"))) == "GET /echo stranger");
}

TEST_CASE("an expired certificate is told apart from none, but only its date may be wrong with it") {
  const ServerUnderTest test;
  const testing::Validity over{-7200, -3600};
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "clientAuth", over))) ==
        std::string("GET /echo expired ") + kCollectorId);
  CHECK(seen_as(test, test.client_with(TestAuthority("test CA").issue(kCollectorUri, "clientAuth", over))) ==
        "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue(kCollectorUri, "serverAuth", over))) == "GET /echo stranger");
  CHECK(seen_as(test, test.client_with(test.ca.issue("DNS:db1", "clientAuth", over))) == "GET /echo stranger");
}

TEST_CASE("a reload serves new connections with the new certificate, leaves open ones alone, and refuses what does not fit") {
  ServerUnderTest test;
  TlsClient before(test.server->port(), test.client());
  CHECK(before.request("GET", "/echo").status == 200);

  const TestAuthority other("the next CA");
  const testing::KeyPair own = other.issue("IP:127.0.0.1", "serverAuth");
  REQUIRE(files::write_atomically(test.options.certificate_file, own.certificate_pem, 0600));
  CHECK_FALSE(test.server->reload_tls());  // the key does not fit yet
  CHECK(TlsClient(test.server->port(), test.client()).request("GET", "/echo").status == 200);

  REQUIRE(files::write_atomically(test.options.key_file, own.key_pem, 0600));
  REQUIRE(files::write_atomically(test.options.chain_ca_file, other.pem() + test.ca.pem(), 0600));  // clients of both
  REQUIRE(test.server->reload_tls());
  CHECK_THROWS(TlsClient(test.server->port(), test.client()));
  auto client = test.client_with(other.issue(kCollectorUri, "clientAuth"));
  client.ca_pem = other.pem();
  CHECK(seen_as(test, client) == std::string("GET /echo ") + kCollectorId);
  client.certificate = test.ca.issue(kCollectorUri, "clientAuth");
  CHECK(seen_as(test, client) == std::string("GET /echo ") + kCollectorId);
  CHECK(before.request("GET", "/echo").status == 200);
}

TEST_CASE("a CA that is taken away ends what its clients have open; one that is added ends nothing") {
  ServerUnderTest test;
  const auto with = test.client_with(test.ca.issue(kCollectorUri, "clientAuth"));
  TlsClient open(test.server->port(), with);
  CHECK(open.request("GET", "/echo").body == std::string("GET /echo ") + kCollectorId);
  const TestAuthority next("the next CA");
  REQUIRE(files::write_atomically(test.options.client_ca_file, next.pem() + test.ca.pem(), 0600));
  REQUIRE(test.server->reload_tls());
  CHECK(open.request("GET", "/echo").body == std::string("GET /echo ") + kCollectorId);
  REQUIRE(files::write_atomically(test.options.client_ca_file, next.pem(), 0600));
  REQUIRE(test.server->reload_tls());
  CHECK(open.ended());
  CHECK(seen_as(test, with) == "GET /echo stranger");
}

TEST_CASE("a CA is missed where it is gone, not where another came") {
  const ServerUnderTest test;
  const TestAuthority next("the next CA");
  const std::string both_file = test.folder.path() + "/both.crt";
  REQUIRE(files::write_atomically(both_file, next.pem() + test.ca.pem(), 0600));
  const auto one = make_tls_context({test.options.certificate_file, test.options.key_file, test.options.client_ca_file, ""});
  const auto both = make_tls_context({test.options.certificate_file, test.options.key_file, both_file, ""});
  REQUIRE((one && both));
  CHECK(trusts_all_of(both->get(), one->get()));
  CHECK(trusts_all_of(both->get(), both->get()));
  CHECK_FALSE(trusts_all_of(one->get(), both->get()));
}

TEST_CASE("a certificate that expires while its connection lives is not good for the next request") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client_with(test.ca.issue(kCollectorUri, "clientAuth", {-60, 2})));
  CHECK(client.request("GET", "/echo").body == std::string("GET /echo ") + kCollectorId);
  std::string seen;
  const std::string expected = std::string("GET /echo expired ") + kCollectorId;
  for (int i = 0; i < 100'000 && seen != expected; ++i) seen = client.request("GET", "/echo").body;
  CHECK(seen == expected);
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
