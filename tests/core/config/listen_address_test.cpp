#include "core/config/listen_address.h"

#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::config;
using testing::must;

TEST_CASE("addresses to listen on") {
  CHECK(must(ListenAddress::parse("127.0.0.1:9187")).is_loopback);
  CHECK(must(ListenAddress::parse("localhost:9187")).host == "127.0.0.1");
  CHECK(must(ListenAddress::parse("[::1]:9187")).is_loopback);
  CHECK(!must(ListenAddress::parse("0.0.0.0:9187")).is_loopback);
  CHECK(!must(ListenAddress::parse("[::]:9187")).is_loopback);
  for (const char* bad : {"", "9187", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:9187", "[127.0.0.1]:1",
                          "db1.example:9187", "127.0.0.1:-1"}) {
    CAPTURE(bad);
    const auto refused = ListenAddress::parse(bad);
    REQUIRE(!refused);
    CHECK(refused.error().status == PGA_E_CONFIG);
  }
}

TEST_CASE("hosts that are this one") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) CHECK(is_loopback_host(host));
  for (const char* host : {"", "localhost.example", "128.0.0.1", "::2", "::", "0.0.0.0", "127.0.0.1.evil.example", "10.0.0.1"}) {
    CHECK(!is_loopback_host(host));
  }
}
