#include "core/spool/free_space.h"

#include <sys/statvfs.h>

#include <algorithm>

namespace pganalytics::spool {

std::optional<FreeSpace> free_space(const std::string& dir, std::optional<std::int64_t> keep_free_bytes) {
  struct statvfs disk {};
  if (::statvfs(dir.c_str(), &disk) != 0) return std::nullopt;
  const std::uint64_t all = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
  return FreeSpace{
      static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
      keep_free_bytes ? static_cast<std::uint64_t>(*keep_free_bytes) : std::max(kKeepFreeBytesMin, all / kKeepFreeShare)};
}

}  // namespace pganalytics::spool
