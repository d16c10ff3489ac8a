// The free-space floor: what the spool leaves free of a disk that is the database's.
//
// Here: how high it is, and where the disk stands. Not here: what goes when it is not kept (disk_caps.cpp). [any thread]
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pganalytics::spool {

constexpr std::uint64_t kKeepFreeBytesMin = std::uint64_t{1} << 30;  // unless the operator says otherwise ...
constexpr std::uint64_t kKeepFreeShare = 20;                         // ... or a twentieth of the file system, if that is more

struct FreeSpace {
  std::uint64_t available_bytes = 0;  // to whoever is not root
  std::uint64_t floor_bytes = 0;

  [[nodiscard]] std::uint64_t missing_bytes() const { return available_bytes < floor_bytes ? floor_bytes - available_bytes : 0; }
};

// Of the file system of `dir`. `keep_free_bytes` is the floor, as it is; nullopt: the one above. Nullopt: not known.
std::optional<FreeSpace> free_space(const std::string& dir, std::optional<std::int64_t> keep_free_bytes);

}  // namespace pganalytics::spool
