// Block devices: which ones there are, and what iostat would say of an interval.
#include "plugins/sysstat/block_devices.h"

#include <string>

#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

BlockDevice sda() {
  BlockDevice device;
  device.name = "sda";
  device.reads = 1000;
  device.read_bytes = 1 << 20;
  device.read_ms = 5000;
  device.writes = 2000;
  device.write_bytes = 1 << 21;
  device.write_ms = 9000;
  device.busy_ms = 8000;
  device.queue_ms = 14000;
  return device;
}

}  // namespace

TEST_CASE("whole disks and what is built of them; no partitions, loops, memory, nor what never did anything") {
  Gaps gaps;
  const auto devices = parse_block_devices(testing::recorded_text("database_host/proc/diskstats"), gaps);
  CHECK(gaps.empty());
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].name == "nvme0n1");
  CHECK(std::string(devices[0].kind) == "disk");
  CHECK(devices[0].reads == 4102233);
  CHECK(devices[0].read_bytes == 364598284ull * 512);
  CHECK(devices[0].writes == 9120442);
  CHECK(devices[0].write_bytes == 1768204466ull * 512);
  CHECK(devices[0].in_progress == 2);
  CHECK(devices[0].busy_ms == 7120033);
  CHECK(devices[1].name == "dm-0");
  CHECK(std::string(devices[1].kind) == "dm");
}

TEST_CASE("lines that are no device are skipped and told, once") {
  Gaps gaps;
  const auto devices = parse_block_devices(
      "8 0 sda 1 2 3\nx 0 sdb 1 2 3 4 5 6 7 8 9 10 11\n8 32 sdc 1 2 3 4 5 6 7 8 9 10 11\n8 48 sdd 1 2 -3 4 5 6 7 8 9 10 11\n",
      gaps);
  REQUIRE(devices.size() == 1);
  CHECK(devices[0].name == "sdc");
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].part == "devices");
  CHECK(gaps[0].message.find("3 lines") != std::string::npos);
}

TEST_CASE("an interval has iostat's figures") {
  const BlockDevice before = sda();
  BlockDevice after = before;
  after.reads += 100;
  after.read_bytes += 1 << 20;
  after.read_ms += 400;
  after.writes += 50;
  after.write_bytes += 1 << 19;
  after.write_ms += 600;
  after.busy_ms += 500;
  after.queue_ms += 3000;
  const BlockActivity activity = block_activity(before, after, 2.0);
  CHECK(activity.reads_per_second == 50.0);
  CHECK(activity.writes_per_second == 25.0);
  CHECK(activity.read_bytes_per_second == (1 << 20) / 2.0);
  CHECK(activity.write_bytes_per_second == (1 << 19) / 2.0);
  CHECK(activity.read_await_ms == 4.0);
  CHECK(activity.write_await_ms == 12.0);
  CHECK(activity.utilization == 0.25);
  CHECK(activity.queue_length == 1.5);
}

TEST_CASE("without requests there is no mean time of one, and nothing is busy") {
  const BlockActivity activity = block_activity(sda(), sda(), 10);
  CHECK(activity.reads_per_second == 0.0);
  CHECK_FALSE(activity.read_await_ms);
  CHECK_FALSE(activity.write_await_ms);
  CHECK(activity.utilization == 0.0);
}

TEST_CASE("counters of time that wrap at 32 bits go on") {
  BlockDevice before = sda();
  before.write_ms = 4294967200;  // 96 before the wrap
  before.busy_ms = 4294967290;
  before.queue_ms = 4294966296;
  BlockDevice after = before;
  after.writes += 10;
  after.write_ms = 104;
  after.busy_ms = 94;
  after.queue_ms = 1000;
  const BlockActivity activity = block_activity(before, after, 1);
  CHECK(activity.write_await_ms == 20.0);
  CHECK(activity.utilization == 0.1);
  CHECK(activity.queue_length == 2.0);
}

TEST_CASE("a counter of time that falls a little counts as not moved") {
  BlockDevice after = sda();
  after.reads += 1;
  after.read_ms -= 1;
  after.busy_ms -= 1;
  after.queue_ms -= 1;
  const BlockActivity activity = block_activity(sda(), after, 1);
  CHECK(activity.read_await_ms == 0.0);
  CHECK(activity.utilization == 0.0);
  CHECK(activity.queue_length == 0.0);
}

TEST_CASE("another device of the same name has no figures yet") {
  BlockDevice after = sda();
  after.reads = 3;
  const BlockActivity activity = block_activity(sda(), after, 1);
  CHECK_FALSE(activity.reads_per_second);
  CHECK_FALSE(activity.utilization);
}

TEST_CASE("no share is above the whole") {
  BlockDevice after = sda();
  after.busy_ms += 1500;
  CHECK(block_activity(sda(), after, 1).utilization == 1.0);
}
