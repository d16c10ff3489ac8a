// From a file system to the disks below it, over partitions, LVM, RAID, and what has no device at all.
#include "plugins/disk/storage.h"

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics::disk;
namespace fs = std::filesystem;

namespace {

BlockDevice device(const std::string& name, const std::string& number, const std::string& kind, const std::string& parent = "") {
  BlockDevice made;
  made.name = name;
  made.device_number = number;
  made.kind = kind;
  made.parent = parent;
  return made;
}

Mount mount(const std::string& number, const std::string& of) {
  Mount made;
  made.device_number = number;
  made.device = of;
  return made;
}

// LVM on a RAID 1 of two partitions; a plain disk; a disk of which a whole is btrfs.
class Machine {
 public:
  Machine() {
    devices = {device("nvme0n1", "259:0", "disk"),
               device("nvme0n1p2", "259:2", "partition", "nvme0n1"),
               device("nvme1n1", "259:3", "disk"),
               device("nvme1n1p2", "259:5", "partition", "nvme1n1"),
               device("md0", "9:0", "md"),
               device("dm-0", "253:0", "dm"),
               device("dm-1", "253:1", "dm"),
               device("sda", "8:0", "disk"),
               device("sda1", "8:1", "partition", "sda"),
               device("loop0", "7:0", "loop")};
    slave("md0", "nvme1n1p2");
    slave("md0", "nvme0n1p2");
    slave("dm-0", "md0");
    slave("dm-1", "md0");
    slave("dm-1", "sda1");
    name("dm-0", "vg-data");
    name("dm-1", "vg-wal");
  }
  void slave(const std::string& of, const std::string& name) const {
    fs::create_directories(sys / ("class/block/" + of + "/slaves/" + name));
  }
  void name(const std::string& of, const std::string& name) const {
    fs::create_directories(sys / ("class/block/" + of + "/dm"));
    std::ofstream(sys / ("class/block/" + of + "/dm/name")) << name << "\n";
  }
  [[nodiscard]] std::string under(const Mount& mount) const {
    const Storage storage = storage_of(mount, devices, sys.path());
    std::string text = storage.device == nullptr ? "nothing" : storage.device->name + ":";
    for (const std::string& disk : storage.disks) text += " " + disk;
    return text;
  }

  std::vector<BlockDevice> devices;
  pganalytics::testing::TemporaryFolder sys;
};

}  // namespace

TEST_CASE("a partition lies on its disk, a disk on itself") {
  const Machine machine;
  CHECK(machine.under(mount("8:1", "/dev/sda1")) == "sda1: sda");
  CHECK(machine.under(mount("8:0", "/dev/sda")) == "sda: sda");
  CHECK(machine.under(mount("7:0", "/dev/loop0")) == "loop0: loop0");
}

TEST_CASE("device mapper and md lead to the disks of all their layers, each once") {
  const Machine machine;
  CHECK(machine.under(mount("253:0", "/dev/mapper/vg-data")) == "dm-0: nvme0n1 nvme1n1");
  CHECK(machine.under(mount("253:1", "/dev/mapper/vg-wal")) == "dm-1: nvme0n1 nvme1n1 sda");
}

TEST_CASE("a file system with a device number of its own kind is found by what was mounted") {
  const Machine machine;
  CHECK(machine.under(mount("0:43", "/dev/sda1")) == "sda1: sda");
  CHECK(machine.under(mount("0:44", "/dev/mapper/vg-wal")) == "dm-1: nvme0n1 nvme1n1 sda");
}

TEST_CASE("what lies on no device of this machine has none") {
  const Machine machine;
  for (const char* of : {"tmpfs", "server:/export", "overlay", "", "/dev/gone", "/devious/sda1"}) {
    CAPTURE(of);
    CHECK(machine.under(mount("0:45", of)) == "nothing");
  }
}

TEST_CASE("devices that lie on each other in a circle end") {
  const Machine machine;
  machine.slave("md0", "dm-0");
  CHECK(machine.under(mount("253:0", "x")) == "dm-0: nvme0n1 nvme1n1");
}
