#include "plugins/logs/entries/log_time.h"

#include "tests/plugins/logs/host_zone.h"
#include "tests/support/catch.h"

#include <cstdio>
#include <ctime>
#include <string>

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

TEST_CASE("every day is where the calendar of the C library has it") {
  for (std::time_t day = -200LL * 366 * 86'400; day < 9'000'000'000; day += 86'400) {
    std::tm at{};
    gmtime_r(&day, &at);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d 23:59:58.001 UTC", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday);
    const auto read = parse_log_time(text);
    if (read != day * 1000 + 86'398'001) {
      CAPTURE(text);
      REQUIRE(read == day * 1000 + 86'398'001);
    }
  }
}

TEST_CASE("what is remembered of the host's zone is what would be found anew") {
  struct Zone {
    const char* rule;
    const char* names[2];
    std::int64_t twice;  // the middle of what comes twice in 2026, as if the clock showed UTC
  };
  // The second changes by half an hour only.
  const Zone zone = GENERATE(Zone{"CET-1CEST,M3.5.0,M10.5.0/3", {"CET", "CEST"}, 1792890000 + 5400},
                             Zone{"LHST-10:30LHDT-11,M10.1.0,M4.1.0", {"LHST", "LHDT"}, 1775314800 + 38'700});
  const HostZone host(zone.rule);
  HostZoneMemory remembered;
  std::size_t found[2] = {};
  std::size_t twice = 0;
  for (const std::int64_t step : {1, 17, 61}) {
    for (std::int64_t second = -7200; second < 7200; second += step) {
      const std::time_t as_utc = zone.twice + second;
      std::tm wall{};
      gmtime_r(&as_utc, &wall);
      char digits[32];
      std::strftime(digits, sizeof digits, "%Y-%m-%d %H:%M:%S ", &wall);
      std::size_t meanings = 0;
      for (const std::size_t i : {0, 1}) {
        const auto fresh = parse_log_time(std::string(digits) + zone.names[i]);
        const auto again = parse_log_time(std::string(digits) + zone.names[i], remembered);
        found[i] += fresh ? 1 : 0;
        meanings += fresh ? 1 : 0;
        if (fresh != again) {
          CAPTURE(digits, zone.names[i]);
          REQUIRE(fresh == again);
        }
      }
      twice += meanings == 2 ? 1 : 0;
    }
  }
  CHECK(found[0] > 7200);
  CHECK(found[1] > 7200);
  CHECK(twice >= 1800);
  CHECK_FALSE(parse_log_time("2026-02-03 05:05:06.789 EST", remembered));
  CHECK_FALSE(parse_log_time("2026-02-03 05:05:06.789 EST", remembered));
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
