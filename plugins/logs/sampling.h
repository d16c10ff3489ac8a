// Which of a run's entries are delivered when there are more of a kind than anyone reads.
//
// Of each kind the first entries of a run are delivered all, then ever fewer: of n entries about full * (1 + log2(n / full)).
// Which ones follows from their order alone. Not here: what was filtered out before, counting (class_counts). One object per run,
// on the run's thread.
#pragma once

#include "plugins/logs/kind.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

class Sampling {
 public:
  // `full_entries`: how many of each kind are delivered before any is left out; ten times as many at ERROR and above. 0: all are.
  explicit Sampling(std::uint64_t full_entries) : full_entries_(full_entries), kinds_(kind_count()) {}

  // Takes the next entry of a kind. 0: it is not delivered. Else it is, and stands for so many of its kind: itself and those that
  // were left out before it. An entry that took longer than each before it of its kind is delivered in any case, for itself.
  std::uint64_t stands_for(const Kind& kind, std::string_view message);

  // So much was delivered. Each kDenseBytes of it halve `full_entries`, so that long entries, or many kinds of them, do not make
  // a run that is too large for one push.
  void delivered(std::size_t bytes) { bytes_ += bytes; }
  static constexpr std::size_t kDenseBytes = 2 << 20;

 private:
  struct OfKind {
    std::uint64_t entries = 0;
    std::uint64_t left_out = 0;  // since the last one that was delivered
    std::uint64_t slowest = 0;   // delivered for taking longer
    double longest_ms = -1;
  };

  [[nodiscard]] std::uint64_t full_entries_of(const Kind& kind) const;
  static bool is_slowest(OfKind& state, std::string_view message);

  const std::uint64_t full_entries_;
  std::uint64_t bytes_ = 0;
  std::vector<OfKind> kinds_;
};

}  // namespace pganalytics::logs
