#include "plugins/disk/usage.h"

#include <limits>

namespace pganalytics::disk {
namespace {

constexpr auto kJsonMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

Usage::Count bytes(std::uint64_t blocks, std::uint64_t block_bytes) {
  if (block_bytes == 0 || blocks > kJsonMax / block_bytes) return std::nullopt;
  return blocks * block_bytes;
}

}  // namespace

Usage usage_of(const struct statvfs& answer) {
  const std::uint64_t unit = answer.f_frsize != 0 ? answer.f_frsize : answer.f_bsize;
  const std::uint64_t free = answer.f_bfree;
  // Ordinary users may have used more than is theirs; some file systems then answer a negative number in this unsigned field.
  const std::uint64_t available = answer.f_bavail <= kJsonMax ? answer.f_bavail : 0;
  Usage usage;
  usage.total_bytes = bytes(answer.f_blocks, unit);
  usage.used_bytes = bytes(answer.f_blocks >= free ? answer.f_blocks - free : 0, unit);
  usage.reserved_bytes = bytes(free > available ? free - available : 0, unit);
  usage.available_bytes = bytes(available, unit);
  if (answer.f_files == 0 || answer.f_files > kJsonMax) return usage;
  usage.inodes_total = answer.f_files;
  usage.inodes_free = answer.f_ffree <= answer.f_files ? answer.f_ffree : answer.f_files;
  usage.inodes_used = *usage.inodes_total - *usage.inodes_free;
  return usage;
}

}  // namespace pganalytics::disk
