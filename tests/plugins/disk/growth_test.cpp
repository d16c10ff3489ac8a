// How fast a file system fills: a line through the last hour.
#include "plugins/disk/growth.h"

#include "tests/support/catch.h"

using namespace pganalytics::disk;

namespace {

constexpr std::int64_t kMinute = 60'000'000'000;
constexpr std::uint64_t kMiB = 1 << 20;

}  // namespace

TEST_CASE("a file system that fills evenly is full when it says") {
  Growth growth;
  std::optional<Trend> trend;
  for (std::uint64_t minute = 0; minute <= 90; ++minute) {
    trend = growth.see("/", 1000 * kMiB + minute * kMiB, 600 * kMiB - minute * kMiB, static_cast<std::int64_t>(minute) * kMinute);
    CHECK(trend.has_value() == (minute >= 5));
  }
  CHECK(trend->bytes_per_second == Approx(kMiB / 60.0));
  CHECK(trend->window_seconds == Approx(3600));
  REQUIRE(trend->seconds_to_full);
  CHECK(*trend->seconds_to_full == Approx(510 * 60));
}

TEST_CASE("what empties or rests is never full") {
  Growth growth;
  std::optional<Trend> trend;
  for (int minute = 0; minute < 30; ++minute) trend = growth.see("/", (1000 - minute) * kMiB, kMiB, minute * kMinute);
  CHECK(trend->bytes_per_second < 0);
  CHECK_FALSE(trend->seconds_to_full);
  for (int minute = 0; minute < 30; ++minute) trend = growth.see("/data", 5 * kMiB, kMiB, minute * kMinute);
  CHECK(trend->bytes_per_second == 0);
  CHECK_FALSE(trend->seconds_to_full);
}

TEST_CASE("a file that comes and goes moves the line little, and the last hour is all that counts") {
  Growth growth;
  std::optional<Trend> trend;
  const auto minute = [&](int at, std::uint64_t used) { trend = growth.see("/", used, kMiB, at * kMinute); };
  for (int at = 0; at < 30; ++at) minute(at, 1000 * kMiB);
  minute(30, 2000 * kMiB);
  for (int at = 31; at <= 59; ++at) minute(at, 1000 * kMiB);
  CHECK(std::abs(trend->bytes_per_second) < 0.05 * kMiB / 60);  // a MiB a minute would be growth
  for (int at = 60; at <= 125; ++at) minute(at, 3000 * kMiB);
  CHECK(trend->bytes_per_second == Approx(0).margin(1));
}

TEST_CASE("runs a second apart remember no more than runs a minute apart, and agree with them") {
  Growth often, seldom;
  std::optional<Trend> a, b;
  for (int second = 0; second <= 1800; ++second) {
    const std::uint64_t used = 100 * kMiB + static_cast<std::uint64_t>(second) * 1000;
    a = often.see("/", used, kMiB, second * (kMinute / 60));
    if (second % 60 == 0) b = seldom.see("/", used, kMiB, second * (kMinute / 60));
  }
  CHECK(a->bytes_per_second == Approx(1000));
  CHECK(b->bytes_per_second == Approx(1000));
}

TEST_CASE("a file system that was away begins anew") {
  Growth growth;
  growth.see("/mnt", kMiB, kMiB, 0);
  growth.keep_only({"/"});
  CHECK_FALSE(growth.see("/mnt", 2 * kMiB, kMiB, 10 * kMinute));
}
