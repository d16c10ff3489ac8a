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

// Time spent by kind, guest taken out of user and nice. Doubles: ticks of a hostile text may not overflow when they are added up.
using Spent = std::array<double, kCpuKinds>;

Spent spent_between(const CpuTicks& before, const CpuTicks& after) {
  CpuTicks spent{};
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) {
    spent[kind] = after[kind] > before[kind] ? after[kind] - before[kind] : 0;
  }
  spent[kUser] -= std::min(spent[kUser], spent[kGuest]);
  spent[kNice] -= std::min(spent[kNice], spent[kGuestNice]);
  Spent doubles{};
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) doubles[kind] = static_cast<double>(spent[kind]);
  return doubles;
}

std::optional<CpuShares> shares_of(const Spent& spent) {
  double total = 0;
  for (const double ticks : spent) total += ticks;
  if (total <= 0) return std::nullopt;
  CpuShares shares{};
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) shares[kind] = spent[kind] / total;
  return shares;
}

// The number of a line "cpu12"; nullopt for "cpu", "cpufreq" and all else.
std::optional<std::uint32_t> core_number(std::string_view name) {
  constexpr std::string_view kPrefix = "cpu";
  if (name.size() <= kPrefix.size() || name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  return to_number<std::uint32_t>(name.substr(kPrefix.size()));
}

}  // namespace

CpuReading parse_cpu(std::string_view text, Gaps& gaps) {
  CpuReading reading;
  std::uint64_t count = 0;
  std::uint64_t broken = 0;
  while (auto line = next_line(text)) {
    const std::string_view name = next_word(*line);
    if (name == "cpu") reading.ticks = parse_ticks(*line);
    const auto number = core_number(name);
    if (!number) continue;
    ++count;
    const auto ticks = parse_ticks(*line);
    const bool in_order = reading.cores.empty() || reading.cores.back().number < *number;
    if (ticks && in_order) {
      reading.cores.push_back({*number, *ticks});
    } else {
      ++broken;
    }
  }
  if (!reading.ticks) gaps.push_back({"cpu", "proc.incomplete", "stat has no line \"cpu\" with ten numbers", ""});
  if (broken > 0) {
    gaps.push_back(
        {"cpus", "proc.incomplete", "stat has " + std::to_string(broken) + " lines of a processor not understood", ""});
  }
  if (count > 0) {
    reading.count = count;
  } else {
    gaps.push_back({"cpu", "proc.incomplete", "stat has no line for a single processor", ""});
  }
  return reading;
}

std::optional<CpuShares> cpu_shares(const CpuTicks& before, const CpuTicks& after) {
  return shares_of(spent_between(before, after));
}

CpuInterval cpu_between(const CpuReading& before, const CpuReading& after) {
  CpuInterval interval;
  Spent all{};
  auto old = before.cores.begin();
  for (const Core& core : after.cores) {
    while (old != before.cores.end() && old->number < core.number) ++old;
    if (old == before.cores.end() || old->number != core.number) continue;
    const Spent spent = spent_between(old->ticks, core.ticks);
    for (std::size_t kind = 0; kind < kCpuKinds; ++kind) all[kind] += spent[kind];
    if (const auto shares = shares_of(spent)) interval.cores.push_back({core.number, *shares});
  }
  interval.all = shares_of(all);
  if (!interval.all && before.ticks && after.ticks) interval.all = cpu_shares(*before.ticks, *after.ticks);
  return interval;
}

}  // namespace pganalytics::sysstat
