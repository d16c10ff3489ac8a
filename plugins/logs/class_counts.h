// How many entries of each kind were read for a document, and how many of them it has. One object per document, on the run's
// thread.
#pragma once

#include "plugins/logs/kind.h"

#include <cstddef>
#include <cstdint>
#include <pganalytics/json.hpp>
#include <vector>

namespace pganalytics::logs {

class ClassCounts {
 public:
  ClassCounts() : counts_(kind_count()) {}

  void add(const Kind& kind, bool delivered);
  void clear();

  [[nodiscard]] bool empty() const { return kinds_.empty(); }

  // What write() writes at most, now and when this kind is counted too.
  [[nodiscard]] std::size_t bytes() const { return kinds_.size() * kMostKindBytes; }
  [[nodiscard]] std::size_t bytes_with(const Kind& kind) const {
    return bytes() + (counts_[kind_number(kind)].entries == 0 ? kMostKindBytes : 0);
  }
  static constexpr std::size_t kMostKindBytes = 200;  // names of up to 80 bytes, two numbers of 20 digits, and the words between

  // An array of {"class", "severity", "entries", "delivered"}, in the order of the class table.
  void write(JsonWriter& json) const;
  // The entries of each severity, as members of the object that is open: "debug" ... "panic", "other".
  void write_by_severity(JsonWriter& json) const;

 private:
  struct Count {
    Kind kind;
    std::uint64_t entries = 0;
    std::uint64_t delivered = 0;
  };

  std::vector<Count> counts_;       // by the kind's number
  std::vector<std::size_t> kinds_;  // numbers of those that have entries
};

}  // namespace pganalytics::logs
