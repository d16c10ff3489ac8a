// diskstats: units, kinds of devices, lines of older kernels and broken ones.
#include "plugins/disk/diskstats.h"

#include <string>

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::disk;

namespace {

const BlockDevice& named(const std::vector<BlockDevice>& devices, const std::string& name) {
  for (const BlockDevice& device : devices) {
    if (device.name == name) return device;
  }
  FAIL("no device " << name);
  return devices.front();
}

}  // namespace

TEST_CASE("sectors are 512 bytes and every column has its key") {
  Gaps gaps;
  const auto devices = parse_diskstats(" 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", gaps);
  REQUIRE(devices.size() == 1);
  JsonWriter writer;
  writer.begin_object();
  write_counters(writer, devices[0]);
  writer.end_object();
  CHECK(writer.text() ==
        R"({"name":"vda","kind":"disk","parent":null,"device_number":"254:0",)"
        R"("reads":1,"reads_merged":2,"read_bytes":1536,"read_time_ms":4,"writes":5,"writes_merged":6,"write_bytes":3584,)"
        R"("write_time_ms":8,"io_in_progress":9,"io_time_ms":10,"weighted_io_time_ms":11,"discards":12,"discards_merged":13,)"
        R"("discarded_bytes":7168,"discard_time_ms":15,"flushes":16,"flush_time_ms":17})");
  CHECK(gaps.empty());
}

TEST_CASE("columns that an older kernel does not have are null, those of a newer one are passed over") {
  Gaps gaps;
  const auto devices =
      parse_diskstats("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x\n", gaps);
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].weighted_io_time_ms == 11u);
  CHECK_FALSE(devices[0].discards);
  CHECK_FALSE(devices[0].flushes);
  CHECK(devices[1].flush_time_ms == 17u);
  CHECK(gaps.empty());
}

TEST_CASE("what a device is follows from its name and those before it") {
  const char* const kNames[] = {"sda",   "sda1",  "sda12",   "nvme0n1", "nvme0n1p2", "mmcblk0", "mmcblk0p1", "dm-0",
                                "dm-10", "md127", "md127p1", "loop3",   "zram0",     "sdaa",    "xvda1",     "sr0"};
  std::string text;
  int minor = 0;
  for (const char* name : kNames) text += "8 " + std::to_string(minor++) + " " + name + " 1 2 3 4 5 6 7 8 9 10 11\n";
  Gaps gaps;
  const auto devices = parse_diskstats(text, gaps);
  const auto is = [&](const char* name, const char* kind, const char* parent) {
    CAPTURE(name);
    CHECK(named(devices, name).kind == kind);
    CHECK(named(devices, name).parent == parent);
  };
  is("sda", "disk", "");
  is("sda1", "partition", "sda");
  is("sda12", "partition", "sda");
  is("nvme0n1", "disk", "");
  is("nvme0n1p2", "partition", "nvme0n1");
  is("mmcblk0p1", "partition", "mmcblk0");
  is("dm-0", "dm", "");
  is("dm-10", "dm", "");
  is("md127", "md", "");
  is("md127p1", "partition", "md127");
  is("loop3", "loop", "");
  is("zram0", "ram", "");
  is("sdaa", "disk", "");
  is("xvda1", "disk", "");  // some clouds have a partition without a disk: it is the whole of what there is
  is("sr0", "disk", "");
}

TEST_CASE("loop and RAM devices that never did anything are left out; an idle disk is not") {
  const std::string zeros = " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
  Gaps gaps;
  const auto devices = parse_diskstats(
      "7 0 loop0" + zeros + "7 1 loop1 1 0 0 0 0 0 0 0 0 0 0\n1 0 ram0" + zeros + "253 0 zram0" + zeros + "8 0 sda" + zeros,
      gaps);
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].name == "loop1");
  CHECK(devices[1].name == "sda");
}

TEST_CASE("lines that are no device are skipped and told") {
  for (const std::string line :
       {"", "8 0", "8 0 sda", "8 0 sda 1 2 3 4", "x 0 sda 1 2 3 4 5 6 7 8 9 10 11", "8 -1 sda 1 2 3 4 5 6 7 8 9 10 11",
        "8 0 sda 1 2 3 4 5 6 7 8 9 10 x", "8 0 sda 1 2 9223372036854775807 4 5 6 7 8 9 10 11"}) {
    CAPTURE(line);
    Gaps gaps;
    const auto devices = parse_diskstats(line + "\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n", gaps);
    REQUIRE(devices.size() == 1);
    CHECK(devices[0].name == "sdb");
    CHECK(gaps.size() == 1);
  }
}
