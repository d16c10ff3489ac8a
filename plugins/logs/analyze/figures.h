// What an analysis finds: counts, sums and groups of the entries of some files. Plain data; one thread.
#pragma once

#include "plugins/logs/analyze/top_groups.h"
#include "plugins/logs/severity.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// How often, and between which times.
struct Occurrences {
  std::uint64_t count = 0;
  std::optional<std::int64_t> first_unix_ms;
  std::optional<std::int64_t> last_unix_ms;

  void add(std::optional<std::int64_t> unix_ms) {
    ++count;
    if (!unix_ms) return;
    first_unix_ms = std::min(first_unix_ms.value_or(*unix_ms), *unix_ms);
    last_unix_ms = std::max(last_unix_ms.value_or(*unix_ms), *unix_ms);
  }
  void merge(const Occurrences& other) {
    count += other.count;
    for (const auto& time : {other.first_unix_ms, other.last_unix_ms}) {
      if (!time) continue;
      first_unix_ms = std::min(first_unix_ms.value_or(*time), *time);
      last_unix_ms = std::max(last_unix_ms.value_or(*time), *time);
    }
  }
  [[nodiscard]] std::uint64_t weight() const { return count; }
};

// Of a quantity whose unit its member's name says.
struct Measure {
  std::uint64_t count = 0;
  double total = 0;
  double most = 0;

  void add(double value) {
    ++count;
    total += value;
    most = std::max(most, value);
  }
  void merge(const Measure& other) {
    count += other.count;
    total += other.total;
    most = std::max(most, other.most);
  }
  [[nodiscard]] double mean() const { return count == 0 ? 0 : total / static_cast<double>(count); }
  [[nodiscard]] double weight() const { return total; }
};

// Grouped by their text without values; the example has them, and is there only if they may be shown.
struct MessageGroup : Occurrences {
  std::string example;
};
struct StatementGroup : Measure {
  std::string example;
};

struct FileFigures {
  std::string path;
  std::string format;
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;        // or records, that are of the format
  std::uint64_t other_lines = 0;  // that are not
  std::vector<std::string> problems;
};

struct Figures {
  static constexpr std::size_t kMaxGroups = 10'000;

  std::vector<FileFigures> files;
  Occurrences entries;
  std::uint64_t outside = 0;                                          // of the times that were asked for
  std::array<std::uint64_t, kSeverityNames.size() + 1> severities{};  // the last: of no severity
  std::map<std::string_view, Occurrences> classes;                    // names of static storage
  Occurrences unclassified;
  TopGroups<Occurrences> sqlstates{kMaxGroups};         // of ERROR and above; "": the log does not say
  TopGroups<MessageGroup> messages{kMaxGroups};         // "SQLSTATE message", of the same
  TopGroups<StatementGroup> statements_ms{kMaxGroups};  // by their masked text
  Measure plans_ms;
  Measure lock_waits_ms;  // that ended
  Measure temporary_files_bytes;
  Measure checkpoints_s;
  Measure checkpoint_buffers;
  Measure autovacuums_s;
  std::string longest_autovacuum;  // its table
  Measure sessions_s;              // that ended

  [[nodiscard]] std::uint64_t count_of(std::string_view class_name) const {
    const auto found = classes.find(class_name);
    return found == classes.end() ? 0 : found->second.count;
  }
  // "authentication.": of a whole group.
  [[nodiscard]] std::uint64_t count_of_group(std::string_view start) const {
    std::uint64_t count = 0;
    for (const auto& [name, occurrences] : classes) count += name.substr(0, start.size()) == start ? occurrences.count : 0;
    return count;
  }
};

}  // namespace pganalytics::logs
