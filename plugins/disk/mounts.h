// Which file systems there are: /proc/self/mountinfo (proc(5)), and which of its mounts are worth a line in the document.
//
// Here: the parser and the choice. Not here: asking a file system how full it is (statvfs_probe.h). Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugins/disk/gap.h"

namespace pganalytics::disk {

struct Mount {
  std::string id;             // of this mount, as the kernel numbers them
  std::string parent_id;      // of the mount it lies in
  std::string device_number;  // "254:0", the file system's; the same for all its mounts
  std::string root;           // directory of the file system that is mounted; "/" unless a part of it is
  std::string mount_point;    // raw bytes, as the system calls take them
  std::string type;           // "ext4"
  std::string device;         // "/dev/vda1", "server:/export"
  std::string options;        // of this mount: "rw,noatime"
  // The file system is read-only, as after an I/O error. A mount that is read-only only here does not count: a service's own
  // view of the machine is often read-only (systemd's ProtectSystem) while the file system is not.
  bool read_only = false;
  std::vector<std::string> ids;  // by choose_mounts(): of all mounts of the file system, this one among them
};

// `text` is all of mountinfo. A line that is not understood is skipped and told in `gaps` (a few of them, then how many).
std::vector<Mount> parse_mounts(std::string_view text, Gaps& gaps);

// A mount is taken if an include pattern matches and no exclude pattern does. Patterns are globs as in fnmatch(3); "*" matches
// "/" too.
struct MountFilter {
  std::vector<std::string> include_types{"*"};
  std::vector<std::string> exclude_types;
  std::vector<std::string> include_mount_points{"*"};
  std::vector<std::string> exclude_mount_points;
};

// One mount for each file system that `filter` takes, in the order of `mounts`. Left out beside that:
// - what holds no files of anybody (proc, cgroup...), and autofs, which asking would mount;
// - a mount that a later one covers: its path leads elsewhere;
// - all but one mount of a file system (bind mounts): kept is one of its root, else the one with the shortest path.
// The types do not matter for "/": the root file system is always taken, be it an overlay or in memory.
std::vector<Mount> choose_mounts(const std::vector<Mount>& mounts, const MountFilter& filter);

}  // namespace pganalytics::disk
