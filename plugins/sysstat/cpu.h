// Where the processors' time went, from the "cpu" lines of /proc/stat (proc(5), Documentation/filesystems/proc.rst).
//
// Here: parsing those lines, and the share of each kind of time between two readings, of all processors and of each. Not here:
// when to read (sysstat.cpp), the other lines of the file (readings.h). Pure functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

inline constexpr std::size_t kCpuKinds = 10;
// In the order of the columns of /proc/stat; also the keys in the document.
inline constexpr std::array<const char*, kCpuKinds> kCpuKeys = {"user", "nice",    "system", "idle",  "iowait",
                                                                "irq",  "softirq", "steal",  "guest", "guest_nice"};

// Ticks since boot, by kind. As the kernel counts: guest is also in user, guest_nice also in nice.
using CpuTicks = std::array<std::uint64_t, kCpuKinds>;

struct Core {
  std::uint32_t number;
  CpuTicks ticks;
};

struct CpuReading {
  std::optional<CpuTicks> ticks;       // of all processors together
  std::optional<std::uint64_t> count;  // processors online
  std::vector<Core> cores;             // those online, by ascending number
};

// `text` is all of /proc/stat. What is missing or malformed is added to `gaps`.
CpuReading parse_cpu(std::string_view text, Gaps& gaps);

using CpuShares = std::array<double, kCpuKinds>;

// The share of each kind in the time between two readings; they add up to 1, and guest time is taken out of user and nice.
// A counter that went backwards (iowait does; so does idle around an offline processor) counts as not moved, so no share is ever
// negative. nullopt: no time at all was counted between them.
std::optional<CpuShares> cpu_shares(const CpuTicks& before, const CpuTicks& after);

struct CoreShares {
  std::uint32_t number;
  CpuShares shares;
};

struct CpuInterval {
  std::optional<CpuShares> all;
  std::vector<CoreShares> cores;
};

// Shares of all processors and of each. Only processors that are in both readings count, towards the whole too: one that came or
// went between them has no interval, and the kernel's own sum jumps when one goes. A text without single processors has that sum.
CpuInterval cpu_between(const CpuReading& before, const CpuReading& after);

}  // namespace pganalytics::sysstat
