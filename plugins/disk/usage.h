// How full a file system is, from what statvfs(2) said: the numbers that df prints.
//
// Here: the arithmetic. Not here: asking (statvfs_probe.h). Pure, any thread.
#pragma once

#include <sys/statvfs.h>

#include <cstdint>
#include <optional>

namespace pganalytics::disk {

struct Usage {
  using Count = std::optional<std::uint64_t>;
  Count total_bytes;
  Count used_bytes;       // total less free; what is reserved for root counts as free here, as in df
  Count reserved_bytes;   // free, but root's alone
  Count available_bytes;  // to ordinary users, PostgreSQL among them: full is when this is 0
  // Null where the file system has no table of inodes that could run out: btrfs, vfat, some network file systems.
  Count inodes_total, inodes_used, inodes_free;
};

Usage usage_of(const struct statvfs& answer);

}  // namespace pganalytics::disk
