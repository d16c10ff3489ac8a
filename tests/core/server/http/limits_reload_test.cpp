// Other limits while the server runs: whoever is connected keeps the sizes and times it began with.
#include "tests/core/server/http/server_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server::http;
using testing::TlsClient;

TEST_CASE("a connection keeps the sizes it began with, the next has the new ones") {
  Limits limits;
  const ServerUnderTest test(limits);
  const std::string long_field = "X: " + std::string(2'000, 'a') + "\r\n";
  TlsClient before(test.server->port(), test.client());
  CHECK(before.request("GET", "/echo", long_field).status == 200);
  limits.header_bytes = 1'024;
  test.server->use(limits);
  TlsClient after(test.server->port(), test.client());
  CHECK(after.request("GET", "/echo", long_field).status == 431);
  CHECK(before.request("GET", "/echo", long_field).status == 200);
  limits.header_bytes = 8'192;
  test.server->use(limits);
  TlsClient later(test.server->port(), test.client());
  CHECK(later.request("GET", "/echo", long_field).status == 200);
}

TEST_CASE("fewer connections than there are: those stay, no more come until some have gone") {
  Limits limits;
  const ServerUnderTest test(limits);
  TlsClient first(test.server->port(), test.client()), second(test.server->port(), test.client());
  CHECK(first.request("GET", "/echo").status == 200);
  CHECK(second.request("GET", "/echo").status == 200);
  limits.connections = 2;
  test.server->use(limits);
  CHECK_THROWS(TlsClient(test.server->port(), test.client()));
  CHECK(first.request("GET", "/echo").status == 200);
  limits.connections = 3;
  test.server->use(limits);
  TlsClient third(test.server->port(), test.client());
  CHECK(third.request("GET", "/echo").status == 200);
}
