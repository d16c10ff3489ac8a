#include "core/schema/format.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("each format takes what it names and refuses the rest") {
  struct Case {
    const char* format;
    const char* good;
    const char* bad;
  };
  for (const Case& c :
       {Case{"duration", "30s", "30"}, Case{"bytes", "8KiB", "8 KiB"}, Case{"path-read", "/var/log/*.log", "log/x"},
        Case{"conninfo", "host=/tmp dbname=postgres", "host=a\nhost=b"}, Case{"host-port", "db:5432", "db:0"},
        Case{"host-port", "[::1]:5432", "::1:5432"}, Case{"date-time", "2026-02-03T04:05:06Z", "yesterday"}}) {
    INFO(c.format);
    CHECK(schema::is_known_format(c.format));
    CHECK(schema::check_format(c.format, c.good));
    CHECK_FALSE(schema::check_format(c.format, c.bad));
  }
  CHECK_FALSE(schema::is_known_format("email"));
  CHECK_FALSE(schema::check_format("email", "a@b"));
}
