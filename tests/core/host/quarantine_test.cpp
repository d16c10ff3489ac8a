// The verdict alone, on a clock turned by hand.
#include "core/host/quarantine.h"

#include "tests/core/host/hand_clock.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr std::int64_t kMinuteMs = 60'000, kHourMs = 60 * kMinuteMs;

// As many as it takes, a second apart.
void fail_until_quarantined(Quarantine& quarantine, HandClock& clock) {
  for (std::size_t i = 1; i < Quarantine::kFaultsMax; ++i) {
    REQUIRE_FALSE(quarantine.fault());
    clock.advance_ms(1000);
  }
  REQUIRE(quarantine.fault());
}

std::int64_t left_ms(const Quarantine& quarantine, const HandClock& clock) {
  return (quarantine.until_monotonic_ns() - clock.monotonic_ns()) / 1'000'000;
}

}  // namespace

TEST_CASE("five faults within ten minutes are a quarantine of fifteen, four are none") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  fail_until_quarantined(quarantine, clock);
  CHECK(quarantine.in_force());
  CHECK(left_ms(quarantine, clock) == 15 * kMinuteMs);
  CHECK(quarantine.until_unix_ns() == clock.unix_ns() + 15 * kMinuteMs * 1'000'000);
  clock.advance_ms(15 * kMinuteMs - 1);
  CHECK_FALSE(quarantine.expire());
  CHECK(quarantine.in_force());
  clock.advance_ms(1);
  CHECK(quarantine.expire());
  CHECK_FALSE(quarantine.in_force());
  CHECK(quarantine.until_unix_ns() == 0);
}

TEST_CASE("faults further apart than ten minutes allows are no quarantine") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  for (int i = 0; i < 100; ++i) {
    REQUIRE_FALSE(quarantine.fault());
    clock.advance_ms(Quarantine::kFaultWindowMs / 4 + 1);
  }
  CHECK_FALSE(quarantine.record());
}

TEST_CASE("each quarantine in a row is twice as long, up to a day") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  for (const std::int64_t minutes : {15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440}) {
    fail_until_quarantined(quarantine, clock);
    CHECK(left_ms(quarantine, clock) == minutes * kMinuteMs);
    clock.advance_ms(minutes * kMinuteMs);
    REQUIRE(quarantine.expire());
  }
}

TEST_CASE("an hour without a fault ends the doubling, an hour less a moment does not") {
  for (const bool clean : {true, false}) {
    HandClock clock;
    Quarantine quarantine(clock, "aa");
    fail_until_quarantined(quarantine, clock);
    clock.advance_ms(15 * kMinuteMs);
    REQUIRE(quarantine.expire());
    clock.advance_ms(clean ? kHourMs : kHourMs - 1);
    CHECK_FALSE(quarantine.expire());
    CHECK(quarantine.record().has_value() != clean);
    fail_until_quarantined(quarantine, clock);
    CHECK(left_ms(quarantine, clock) == (clean ? 15 : 30) * kMinuteMs);
  }
}

TEST_CASE("the time in quarantine is no clean time") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  for (int i = 0; i < 4; ++i) {
    fail_until_quarantined(quarantine, clock);
    clock.advance_ms(left_ms(quarantine, clock));
    REQUIRE(quarantine.expire());
  }
  fail_until_quarantined(quarantine, clock);  // the last one lasted two hours
  CHECK(left_ms(quarantine, clock) == 240 * kMinuteMs);
}

TEST_CASE("a record takes the quarantine over to the next host") {
  HandClock clock;
  Quarantine before(clock, "aa");
  fail_until_quarantined(before, clock);
  const auto record = before.record();
  REQUIRE(record);
  clock.advance_ms(5 * kMinuteMs);
  clock.monotonic = 1;  // another boot
  Quarantine after(clock, "aa");
  REQUIRE(after.recall(*record));
  CHECK(left_ms(after, clock) == 10 * kMinuteMs);
  CHECK(after.record() == record);
  clock.advance_ms(10 * kMinuteMs);
  REQUIRE(after.expire());
  fail_until_quarantined(after, clock);
  CHECK(left_ms(after, clock) == 30 * kMinuteMs);
}

TEST_CASE("a quarantine that ended while no host ran still counts for the next one's length") {
  HandClock clock;
  Quarantine before(clock, "aa");
  fail_until_quarantined(before, clock);
  clock.advance_ms(20 * kMinuteMs);
  Quarantine after(clock, "aa");
  REQUIRE(after.recall(*before.record()));
  CHECK_FALSE(after.in_force());
  fail_until_quarantined(after, clock);
  CHECK(left_ms(after, clock) == 30 * kMinuteMs);
}

TEST_CASE("a wall clock that was set back does not make a quarantine longer") {
  HandClock clock;
  Quarantine before(clock, "aa");
  fail_until_quarantined(before, clock);
  clock.unix_time -= 365 * 24 * kHourMs * 1'000'000;
  Quarantine after(clock, "aa");
  REQUIRE(after.recall(*before.record()));
  CHECK(left_ms(after, clock) == 15 * kMinuteMs);
  CHECK(after.until_unix_ns() == clock.unix_ns() + 15 * kMinuteMs * 1'000'000);
}

TEST_CASE("another build has a clean slate, also across a restart") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  fail_until_quarantined(quarantine, clock);
  Quarantine after(clock, "bb");
  REQUIRE(after.recall(*quarantine.record()));
  CHECK_FALSE(after.in_force());
  CHECK_FALSE(after.record());
  quarantine.adopt_build("aa");
  CHECK(quarantine.in_force());
  quarantine.adopt_build("bb");
  CHECK_FALSE(quarantine.in_force());
  CHECK_FALSE(quarantine.record());
  fail_until_quarantined(quarantine, clock);
  CHECK(left_ms(quarantine, clock) == 15 * kMinuteMs);
}

TEST_CASE("a release forgets what was held against the plugin, and says whether it was quarantined") {
  HandClock clock;
  Quarantine quarantine(clock, "aa");
  CHECK_FALSE(quarantine.release());
  fail_until_quarantined(quarantine, clock);
  CHECK(quarantine.release());
  CHECK_FALSE(quarantine.in_force());
  CHECK_FALSE(quarantine.record());
  fail_until_quarantined(quarantine, clock);
  CHECK(left_ms(quarantine, clock) == 15 * kMinuteMs);
}

TEST_CASE("a damaged record counts for nothing and is reported") {
  HandClock clock;
  const std::vector<std::string> records = {
      "",
      " ",
      "quarantine/1",
      "quarantine/2 aa 1 9000000000000",
      "quarantine/1 aa 1",
      "quarantine/1 aa 0 9000000000000",
      "quarantine/1 aa -1 9000000000000",
      "quarantine/1 aa 1001 9000000000000",
      "quarantine/1 aa one 9000000000000",
      "quarantine/1 aa 1 -1",
      "quarantine/1 aa 1 9999999999000000000000",
      "quarantine/1 aa 1 9223372036854775807",
      "quarantine/1 aa 1 9000000000000 ",
      "quarantine/1  aa 1 9000000000000",
      "quarantine/1 aa 1 9000000000000x",
      std::string("quarantine/1 aa 1 9000000000000\0", 33),
      "quarantine/1 " + std::string(1000, 'a') + " 1 9000000000000",
  };
  for (const std::string& record : records) {
    INFO(record);
    Quarantine quarantine(clock, "aa");
    const Outcome recalled = quarantine.recall(record);
    REQUIRE_FALSE(recalled);
    CHECK(recalled.error().code == "quarantine.record");
    CHECK_FALSE(quarantine.in_force());
    CHECK_FALSE(quarantine.record());
  }
  Quarantine quarantine(clock, "aa");
  REQUIRE(quarantine.recall("quarantine/1 aa 1 9000000000000"));
  CHECK(quarantine.in_force());
}
