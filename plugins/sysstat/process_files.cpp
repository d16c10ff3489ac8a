#include "plugins/sysstat/process_files.h"

namespace pganalytics::sysstat {
namespace {

// Fields of stat by their numbers in proc(5); those before are process id and command.
constexpr int kState = 3;
constexpr int kParent = 4;
constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kStartTicks = 22;
constexpr int kRssPages = 24;

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view stat) {
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');  // a command may hold any character
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat process;
  process.command = stat.substr(open + 1, close - open - 1);
  std::string_view rest = stat.substr(close + 1);
  for (int field = kState; field <= kRssPages; ++field) {
    const std::string_view word = next_word(rest);
    if (field == kState) continue;
    if (field == kParent) {
      const auto parent = to_number<std::int32_t>(word);
      if (!parent) return std::nullopt;
      process.parent = *parent;
      continue;
    }
    if (field != kUserTicks && field != kSystemTicks && field != kStartTicks && field != kRssPages) continue;
    const Count number = to_count(word);
    if (!number) return std::nullopt;
    if (field == kStartTicks) {
      process.start_ticks = *number;
    } else if (field == kRssPages) {
      process.rss_pages = *number;
    } else {
      process.cpu_ticks += *number;
    }
  }
  return process;
}

Count parse_anonymous_pages(std::string_view statm) {
  next_word(statm);  // size
  const Count resident = to_count(next_word(statm));
  const Count shared = to_count(next_word(statm));
  if (!resident || !shared || *shared > *resident) return std::nullopt;
  return *resident - *shared;
}

ProcessIo parse_process_io(std::string_view io) {
  ProcessIo parsed;
  while (auto line = next_line(io)) {
    const std::string_view name = next_word(*line);
    if (name == "read_bytes:") parsed.read_bytes = to_count(next_word(*line));
    if (name == "write_bytes:") parsed.write_bytes = to_count(next_word(*line));
  }
  return parsed;
}

Count parse_pss_bytes(std::string_view smaps_rollup) {
  while (auto line = next_line(smaps_rollup)) {
    if (next_word(*line) == "Pss:") return to_count(next_word(*line), 1024);
  }
  return std::nullopt;
}

}  // namespace pganalytics::sysstat
