#include "core/clock/clock.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("a timestamp reads as RFC 3339 in UTC with milliseconds") {
  CHECK(clock::format_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(clock::format_rfc3339(1'770'091'445'678'000'000) == "2026-02-03T04:04:05.678Z");
  CHECK(clock::format_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("what was formatted parses back, and offsets count") {
  CHECK(clock::parse_rfc3339("2026-02-03T04:04:05.678Z") == 1'770'091'445'678'000'000);
  CHECK(clock::parse_rfc3339("2026-02-03T06:04:05.678+02:00") == 1'770'091'445'678'000'000);
  CHECK(clock::parse_rfc3339("2024-02-29T00:00:00Z").has_value());
}

TEST_CASE("anything else is no timestamp") {
  for (const char* text :
       {"", "2026", "2026-02-03", "2026-13-03T00:00:00Z", "2026-02-30T00:00:00Z", "2026-02-03T24:00:00Z", "2026-02-03T00:00:00",
        "2026-02-03T00:00:00.Z", "2026-02-03T00:00:00Zx", "-026-02-03T00:00:00Z", "2026-02-03T00:00:00.1234567890Z"}) {
    INFO(text);
    CHECK_FALSE(clock::parse_rfc3339(text).has_value());
  }
}
