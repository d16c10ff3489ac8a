#include "core/web/retry_after.h"

#include "tests/support/catch.h"

using namespace pganalytics::web;

namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 784'111'777 * kSecond;  // Sun, 06 Nov 1994 08:49:37 GMT
}  // namespace

TEST_CASE("an HTTP date is read in its one current form") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == kNow);
  for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text).has_value());
  }
}

TEST_CASE("Retry-After in seconds is honoured between one second and one hour") {
  CHECK(parse_retry_after_ms("30", "", kNow) == 30'000);
  CHECK(parse_retry_after_ms("0", "", kNow) == 1'000);
  CHECK(parse_retry_after_ms("1000000000", "", kNow) == 3'600'000);
  CHECK(parse_retry_after_ms("99999999999999999999999999", "", kNow) == 3'600'000);
}

TEST_CASE("Retry-After as a date counts from the answer's own date, or from our clock") {
  CHECK(parse_retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 0) == 60'000);
  CHECK(parse_retry_after_ms("Sun, 06 Nov 1994 08:50:37 GMT", "", kNow) == 60'000);
  CHECK(parse_retry_after_ms("Sun, 06 Nov 1994 08:40:00 GMT", "", kNow) == 1'000);
  CHECK(parse_retry_after_ms("Sun, 06 Nov 2094 08:40:00 GMT", "", kNow) == 3'600'000);
}

TEST_CASE("Retry-After that makes no sense is as good as none") {
  for (const char* text : {"", "-1", "+5", "soon", "1.5", "5 s", " 5", "0x10"}) {
    INFO(text);
    CHECK(parse_retry_after_ms(text, "", kNow) == 0);
  }
}
