#include "core/schema/units.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("durations need a unit") {
  CHECK(*schema::parse_duration_ms("500ms") == 500);
  CHECK(*schema::parse_duration_ms("60s") == 60'000);
  CHECK(*schema::parse_duration_ms("5m") == 300'000);
  CHECK(*schema::parse_duration_ms("1d") == 86'400'000);
  for (const char* text : {"", "60", "s", "-1s", "1.5s", "1 s", "1min", "99999999999d", "9999999999999999999s"}) {
    INFO(text);
    CHECK_FALSE(schema::parse_duration_ms(text));
  }
  CHECK(schema::parse_duration_ms("60").error().hint.find("60s") != std::string::npos);
}

TEST_CASE("sizes, binary and decimal") {
  CHECK(*schema::parse_bytes("4096") == 4096);
  CHECK(*schema::parse_bytes("8KiB") == 8192);
  CHECK(*schema::parse_bytes("512MiB") == 536'870'912);
  CHECK(*schema::parse_bytes("1GB") == 1'000'000'000);
  for (const char* text : {"", "KiB", "-1", "1kib", "1.5MiB", "9223372036854775807KiB"}) {
    INFO(text);
    CHECK_FALSE(schema::parse_bytes(text));
  }
}

TEST_CASE("the nearest word is offered only if it is near") {
  const std::vector<std::string> keys{"interval", "timeout", "conninfo"};
  CHECK(schema::nearest("intervall", keys) == "interval");
  CHECK(schema::nearest("conninf", keys) == "conninfo");
  CHECK(schema::nearest("itnerval", keys) == "interval");
  CHECK(schema::nearest("nmae", {"name"}) == "name");
  CHECK(schema::nearest("password", keys).empty());
  CHECK(schema::nearest(std::string(10'000, 'x'), keys).empty());
}
