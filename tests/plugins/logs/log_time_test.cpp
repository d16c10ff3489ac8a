#include "plugins/logs/entries/log_time.h"

#include "tests/plugins/logs/host_zone.h"
#include "tests/support/catch.h"

namespace pganalytics::logs {

TEST_CASE("times in UTC and in numeric zones are exact") {
  CHECK(parse_log_time("1970-01-01 00:00:01.002 UTC") == 1002);
  CHECK(parse_log_time("1970-01-01 00:00:01 GMT") == 1000);
  CHECK(parse_log_time("2026-02-03 04:05:06.789 UTC") == 1770091506789);
  CHECK(parse_log_time("2026-02-03 09:35:06.789 +0530") == 1770091506789);
  CHECK(parse_log_time("2026-02-03 00:35:06.789 -0330") == 1770091506789);
  CHECK(parse_log_time("2024-02-29 00:00:00 UTC") == 1709164800000);
  CHECK(parse_log_time("1969-12-31 23:59:59.999 UTC") == -1);
}

TEST_CASE("a zone of this host is resolved, also in the hour that comes twice") {
  const HostZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  CHECK(parse_log_time("2026-02-03 05:05:06.789 CET") == 1770091506789);
  CHECK(parse_log_time("2026-07-01 02:00:00 CEST") == 1782864000000);
  CHECK(parse_log_time("2026-10-25 02:30:00 CEST") == 1792888200000);
  CHECK(parse_log_time("2026-10-25 02:30:00 CET") == 1792888200000 + 3'600'000);
}

TEST_CASE("a zone of somewhere else is not guessed") {
  const HostZone zone("UTC0");
  CHECK_FALSE(parse_log_time("2026-02-03 05:05:06.789 CET"));
  CHECK_FALSE(parse_log_time("2026-02-03 05:05:06.789 IST"));
}

TEST_CASE("what is no time is none") {
  for (const char* text :
       {"", "2026-02-03", "2026-13-03 04:05:06 UTC", "2026-02-03 25:05:06 UTC", "2026-02-03 04:05:06", "2026-02-03 04:05:06 ",
        "2026-02-03 04:05:06.7 UTC", "2026-02-03 04:05:06.789UTC", "1013-02-03 04:05:06.789 UTC", "9999-02-03 04:05:06 UTC",
        "2026-02-03 04:05:06 +1", "2026-02-03 04:05:06 +", "xxxx-xx-xx xx:xx:xx UTC"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_log_time(text));
  }
}

TEST_CASE("epoch times") {
  CHECK(parse_log_epoch("1770091506.789") == 1770091506789);
  for (const char* text :
       {"", ".", "1770091506", "1770091506.78", "x.789", "99999999999999999.000", "253402300799.000", "-5.000"})
    CHECK_FALSE(parse_log_epoch(text));
}

}  // namespace pganalytics::logs
