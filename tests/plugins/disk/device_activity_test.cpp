// What a device did between two readings: iostat's figures, whatever its counters do.
#include "plugins/disk/device_activity.h"

#include "tests/support/catch.h"

using namespace pganalytics::disk;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

BlockDevice sda() {
  BlockDevice device;
  device.name = "sda";
  device.reads = 1000;
  device.read_time_ms = 5000;
  device.writes = 2000;
  device.write_time_ms = 9000;
  device.io_time_ms = 8000;
  device.flushes = 10;
  device.flush_time_ms = 100;
  return device;
}

BlockDevice after_a_minute() {
  BlockDevice device = sda();
  device.reads = 1600;
  device.read_time_ms = 6200;
  device.writes = 2300;
  device.write_time_ms = 10'500;
  device.io_time_ms = 23'000;
  device.flushes = 20;
  device.flush_time_ms = 250;
  return device;
}

}  // namespace

TEST_CASE("rates, times of one operation and utilization are of the time since the reading before") {
  DeviceActivities activities;
  CHECK_FALSE(activities.see({sda()}, 100 * kSecond).at(0).reads_per_second);
  const DeviceActivity activity = activities.see({after_a_minute()}, 160 * kSecond).at(0);
  CHECK(activity.reads_per_second == 10.0);
  CHECK(activity.writes_per_second == 5.0);
  CHECK(activity.read_await_ms == 2.0);
  CHECK(activity.write_await_ms == 5.0);
  CHECK(activity.flush_await_ms == 15.0);
  CHECK(activity.utilization == 0.25);
}

TEST_CASE("of no operations there is no mean time, and no flushes of a kernel that does not count them") {
  BlockDevice old = sda();
  old.flushes = old.flush_time_ms = std::nullopt;
  const DeviceActivity activity = activity_between(old, old, 60);
  CHECK(activity.reads_per_second == 0.0);
  CHECK_FALSE(activity.read_await_ms);
  CHECK_FALSE(activity.write_await_ms);
  CHECK_FALSE(activity.flush_await_ms);
  CHECK(activity.utilization == 0.0);
}

TEST_CASE("times that wrap at 32 bits go on; one that falls a little has not moved") {
  BlockDevice before = sda(), after = after_a_minute();
  before.read_time_ms = 4'294'967'196;  // 100 before the wrap
  after.read_time_ms = 500;
  after.write_time_ms = 8'990;
  after.io_time_ms = 7'999;
  const DeviceActivity activity = activity_between(before, after, 60);
  CHECK(activity.read_await_ms == 1.0);  // 600 ms of 600 reads
  CHECK(activity.write_await_ms == 0.0);
  CHECK(activity.utilization == 0.0);
}

TEST_CASE("another device of the same name, one that has just come, and no time at all have no figures") {
  DeviceActivities activities;
  activities.see({after_a_minute()}, 0);
  CHECK_FALSE(activities.see({sda()}, 60 * kSecond).at(0).writes_per_second);
  BlockDevice sdb = sda();
  sdb.name = "sdb";
  const auto both = activities.see({sda(), sdb}, 120 * kSecond);
  CHECK(both.at(0).reads_per_second == 0.0);
  CHECK_FALSE(both.at(1).reads_per_second);
  CHECK_FALSE(activity_between(sda(), after_a_minute(), 0).reads_per_second);
}

TEST_CASE("utilization is a share") {
  BlockDevice after = sda();
  after.io_time_ms = 18'000;
  CHECK(activity_between(sda(), after, 5).utilization == 1.0);
}
