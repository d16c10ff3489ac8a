// What lies under a file system: its block device, and the disks that this one is made of, through device mapper, md and
// partitions.
//
// Here: from a mount to devices of diskstats, by /sys (Documentation/ABI/stable/sysfs-block: slaves). Not here: what they do
// (device_activity.h). Reads a few entries of /sys for each mount on dm or md, none for others. Any thread.
#pragma once

#include <string>
#include <vector>

#include "plugins/disk/diskstats.h"
#include "plugins/disk/mounts.h"

namespace pganalytics::disk {

struct Storage {
  const BlockDevice* device = nullptr;  // that the file system lies on; null: none that the kernel counts (tmpfs, NFS, overlay)
  std::vector<std::string> disks;       // names, each once, in the order of the kernel's lists; of a disk itself, its own
};

// `devices` are all of diskstats and outlive what is returned. btrfs and the like, which have no device number of their own, are
// found by the name of the device that was mounted: one of several.
Storage storage_of(const Mount& mount, const std::vector<BlockDevice>& devices, const std::string& sys_path);

}  // namespace pganalytics::disk
