// mountinfo: reading its lines, and choosing the mounts that people mean when they say "the disks".
#include "plugins/disk/mounts.h"

#include <algorithm>
#include <string>

#include "tests/support/catch.h"

using namespace pganalytics::disk;

namespace {

constexpr char kMountinfo[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334524k\n"
    "25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw\n"
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard\n"
    "30 27 254:16 / /var/lib/postgresql rw,noatime shared:7 master:2 - xfs /dev/vdb rw\n"
    "31 27 254:16 /15/archive /srv/archive rw - xfs /dev/vdb rw\n"
    "32 27 0:50 / /mnt/nfs rw - nfs4 server:/export ro,hard,addr=10.0.0.1\n"
    "33 27 0:60 / /misc rw - autofs /etc/auto.misc rw\n"
    "34 27 0:61 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/a\n"
    "35 27 8:1 / /mnt/two\\040words\\134here rw - ext4 /dev/sda1 rw\n";

MountFilter default_filter() {
  MountFilter filter;
  filter.exclude_types = {"tmpfs", "devtmpfs", "overlay"};
  return filter;
}

std::vector<std::string> mount_points(const std::string& text, const MountFilter& filter = default_filter()) {
  Gaps gaps;
  std::vector<std::string> points;
  for (const Mount& mount : choose_mounts(parse_mounts(text, gaps), filter)) points.push_back(mount.mount_point);
  CHECK(gaps.empty());
  return points;
}

using Points = std::vector<std::string>;

}  // namespace

TEST_CASE("a line's fields are found behind any number of optional ones, and octal escapes are undone") {
  Gaps gaps;
  const auto mounts = parse_mounts(kMountinfo, gaps);
  REQUIRE(mounts.size() == 10);
  CHECK(mounts[4].mount_point == "/var/lib/postgresql");
  CHECK(mounts[4].type == "xfs");
  CHECK(mounts[4].device == "/dev/vdb");
  CHECK(mounts[4].device_number == "254:16");
  CHECK(mounts[5].root == "/15/archive");
  CHECK(mounts[9].mount_point == "/mnt/two words\\here");
  CHECK(gaps.empty());
}

TEST_CASE("read-only is the file system's state, not that of one mount of it") {
  Gaps gaps;
  const auto mounts = parse_mounts(
      "1 0 8:1 / /a ro,relatime - ext4 /dev/a rw,errors=remount-ro\n"
      "2 0 8:2 / /b rw,relatime - ext4 /dev/b ro,errors=remount-ro\n",
      gaps);
  REQUIRE(mounts.size() == 2);
  CHECK_FALSE(mounts[0].read_only);
  CHECK(mounts[1].read_only);
}

TEST_CASE("a device may have the empty name") {
  Gaps gaps;
  const auto mounts = parse_mounts("1 0 8:1 / /a rw - ext4  rw\n", gaps);
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0].device.empty());
  CHECK_FALSE(mounts[0].read_only);
}

TEST_CASE("real file systems once each: no pseudo ones, no bind mounts, nothing that asking would mount") {
  CHECK(mount_points(kMountinfo) == Points{"/", "/var/lib/postgresql", "/mnt/nfs", "/mnt/two words\\here"});
}

TEST_CASE("the root file system is reported whatever its type") {
  CHECK(mount_points("27 1 0:30 / / rw - overlay overlay rw\n28 27 0:31 / /x rw - overlay overlay rw\n") == Points{"/"});
}

TEST_CASE("of several mounts of a file system the one of its root wins, then the shortest path") {
  CHECK(mount_points("1 0 8:1 /sub /a rw - ext4 /dev/a rw\n2 0 8:1 / /longer rw - ext4 /dev/a rw\n") == Points{"/longer"});
  CHECK(mount_points("1 0 8:1 /s /etc/resolv.conf rw - ext4 /dev/a rw\n2 0 8:1 /t /etc/hosts rw - ext4 /dev/a rw\n") ==
        Points{"/etc/hosts"});
}

TEST_CASE("a file system knows all of its mounts, so that what is reached by another one is known to lie on it") {
  Gaps gaps;
  const auto chosen = choose_mounts(parse_mounts(kMountinfo, gaps), default_filter());
  const auto archive = std::find_if(chosen.begin(), chosen.end(), [](const Mount& mount) { return mount.device == "/dev/vdb"; });
  REQUIRE(archive != chosen.end());
  CHECK(archive->id == "30");
  CHECK(archive->ids == std::vector<std::string>{"30", "31"});
}

TEST_CASE("a mount that a later one covers is left out: its path leads elsewhere") {
  CHECK(mount_points("1 0 8:1 / /a rw - ext4 /dev/a rw\n2 1 8:2 / /a rw - ext4 /dev/b rw\n") == Points{"/a"});
  CHECK(mount_points("1 0 8:1 / /a/b rw - ext4 /dev/a rw\n2 0 8:2 / /a rw - ext4 /dev/b rw\n") == Points{"/a"});
  CHECK(mount_points("1 0 8:1 / /a rw - ext4 /dev/a rw\n2 1 8:2 / /a/b rw - ext4 /dev/b rw\n") == Points{"/a", "/a/b"});
  CHECK(mount_points("1 0 8:1 / /ab rw - ext4 /dev/a rw\n2 0 8:2 / /a rw - ext4 /dev/b rw\n") == Points{"/ab", "/a"});
}

TEST_CASE("globs on types and mount points; exclude wins") {
  MountFilter filter = default_filter();
  filter.include_types = {"xfs", "nfs*"};
  CHECK(mount_points(kMountinfo, filter) == Points{"/", "/var/lib/postgresql", "/mnt/nfs"});
  filter.exclude_types = {"nfs4"};
  CHECK(mount_points(kMountinfo, filter) == Points{"/", "/var/lib/postgresql"});
  filter = default_filter();
  filter.exclude_mount_points = {"/mnt/*", "/"};
  CHECK(mount_points(kMountinfo, filter) == Points{"/var/lib/postgresql"});
  filter.include_mount_points = {"/nowhere"};
  CHECK(mount_points(kMountinfo, filter).empty());
  filter = default_filter();
  filter.exclude_types = {};
  CHECK(mount_points(kMountinfo, filter) == Points{"/dev", "/dev/shm", "/", "/var/lib/postgresql", "/mnt/nfs",
                                                   "/var/lib/docker/overlay2/x/merged", "/mnt/two words\\here"});
}

TEST_CASE("lines that are no mount are skipped and told, not believed") {
  for (const std::string line : {"", " ", "x", "1 2 8:1 / /a rw", "1 2 8:1 / /a rw -", "1 2 8:1 / /a rw - ",
                                 "a 2 8:1 / /a rw - ext4 d rw", "1 2 8 / /a rw - ext4 d rw", "1 2 8:x / /a rw - ext4 d rw",
                                 "1 2 8:1 / relative rw - ext4 d rw", "1 2 8:1 / /a\\000b rw - ext4 d rw"}) {
    CAPTURE(line);
    Gaps gaps;
    const auto mounts = parse_mounts(line + "\n9 8 8:2 / /good rw - ext4 /dev/b rw\n", gaps);
    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].mount_point == "/good");
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].code == "proc.malformed");
  }
}

TEST_CASE("a text full of broken lines is told in a few words") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "broken\n";
  Gaps gaps;
  CHECK(parse_mounts(text, gaps).empty());
  REQUIRE(gaps.size() == 4);
  CHECK(gaps.back().message.find("1000") != std::string::npos);
}

TEST_CASE("escapes that are none stay as they are") {
  Gaps gaps;
  const auto mounts = parse_mounts("1 2 8:1 / /a\\04 rw - ext4 d rw\n1 2 8:1 / /b\\999\\ rw - ext4 d rw\n", gaps);
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].mount_point == "/a\\04");
  CHECK(mounts[1].mount_point == "/b\\999\\");
}
