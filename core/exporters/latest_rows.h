// The newest values of every row that documents told of lately: what a scrape is answered with.
//
// Documents need not hold all rows: between full snapshots plugins send those that changed. So a row stays until it has not been
// told of for `stale_after`, and one that is told of takes the place of its predecessor whole: what is null now has no value.
// Bounded: what would go over `bytes_max` is left out and counted. One thread at a time. Time is passed in, monotonic.
#pragma once

#include "core/exporters/document_reader.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pganalytics::exporters {

class LatestRows {
 public:
  struct Row {
    std::vector<double> values;  // by metric of the family; NaN: none
    std::int64_t seen_ms = 0;
  };
  // By the text of the labels, as an exposition has it: source="pg_stats",name="a".
  using Rows = std::map<std::string, Row>;

  LatestRows(std::int64_t stale_after_ms, std::size_t bytes_max) : stale_after_ms_(stale_after_ms), bytes_max_(bytes_max) {}

  // `row` of a family that lives at least as long as this, or until clear().
  void take(const ExportedRow& row, std::int64_t now_ms);
  void forget_stale(std::int64_t now_ms);
  void clear();
  void set_stale_after(std::int64_t ms) { stale_after_ms_ = ms; }

  [[nodiscard]] const std::map<const MetricFamily*, Rows>& families() const { return families_; }
  [[nodiscard]] std::size_t rows() const { return count_; }
  [[nodiscard]] std::uint64_t dropped_rows() const { return dropped_rows_; }

 private:
  std::int64_t stale_after_ms_;
  const std::size_t bytes_max_;
  std::map<const MetricFamily*, Rows> families_;
  std::size_t bytes_ = 0, count_ = 0;
  std::uint64_t dropped_rows_ = 0;
};

}  // namespace pganalytics::exporters
