#include "plugins/sysstat/cpu.h"

#include <algorithm>
#include <pganalytics/text.hpp>

namespace pganalytics::sysstat {
namespace {

constexpr std::size_t kUser = 0;
constexpr std::size_t kNice = 1;
constexpr std::size_t kGuest = 8;
constexpr std::size_t kGuestNice = 9;

std::optional<CpuTicks> parse_ticks(std::string_view columns) {
  CpuTicks ticks{};
  for (std::uint64_t& tick : ticks) {
    const auto number = to_number<std::uint64_t>(next_word(columns));
    if (!number) return std::nullopt;
    tick = *number;
  }
  return ticks;
}

}  // namespace

CpuReading parse_cpu(std::string_view text, Gaps& gaps) {
  CpuReading reading;
  std::uint64_t count = 0;
  while (auto line = next_line(text)) {
    const std::string_view name = next_word(*line);
    if (name == "cpu") reading.ticks = parse_ticks(*line);
    if (name.size() > 3 && name.substr(0, 3) == "cpu" && to_number<std::uint32_t>(name.substr(3))) ++count;
  }
  if (!reading.ticks) gaps.push_back({"cpu", "proc.incomplete", "stat has no line \"cpu\" with ten numbers"});
  if (count > 0) {
    reading.count = count;
  } else {
    gaps.push_back({"cpu", "proc.incomplete", "stat has no line for a single processor"});
  }
  return reading;
}

std::optional<CpuShares> cpu_shares(const CpuTicks& before, const CpuTicks& after) {
  CpuTicks spent{};
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) {
    spent[kind] = after[kind] > before[kind] ? after[kind] - before[kind] : 0;
  }
  spent[kUser] -= std::min(spent[kUser], spent[kGuest]);
  spent[kNice] -= std::min(spent[kNice], spent[kGuestNice]);

  double total = 0;  // of doubles: ticks of a hostile text may not overflow
  for (const std::uint64_t ticks : spent) total += static_cast<double>(ticks);
  if (total <= 0) return std::nullopt;

  CpuShares shares{};
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) shares[kind] = static_cast<double>(spent[kind]) / total;
  return shares;
}

}  // namespace pganalytics::sysstat
