#include "core/exporters/latest_rows.h"

#include "core/exporters/prometheus_text.h"

namespace pganalytics::exporters {
namespace {

constexpr std::size_t kRowOverheadBytes = 160;  // of the map's node, the string and the vector

std::size_t bytes_of(const std::string& labels, std::size_t values) {
  return labels.size() + values * sizeof(double) + kRowOverheadBytes;
}

}  // namespace

void LatestRows::take(const ExportedRow& row, std::int64_t now_ms) {
  if (row.schema.is_events || row.family.metrics.empty()) return;
  const std::string labels = label_text(row.labels);
  Rows& rows = families_[&row.family];
  auto found = rows.find(labels);
  if (found == rows.end()) {
    const std::size_t bytes = bytes_of(labels, row.family.metrics.size());
    if (bytes_ + bytes > bytes_max_) {
      ++dropped_rows_;
      return;
    }
    found = rows.emplace(labels, Row{std::vector<double>(row.family.metrics.size()), 0}).first;
    bytes_ += bytes;
    ++count_;
  }
  for (std::size_t i = 0; i < row.family.metrics.size(); ++i) {
    found->second.values[i] = row.family.metrics[i].value_in(row.row);
  }
  found->second.seen_ms = now_ms;
}

void LatestRows::forget_stale(std::int64_t now_ms) {
  for (auto& [family, rows] : families_) {
    for (auto row = rows.begin(); row != rows.end();) {
      if (now_ms - row->second.seen_ms < stale_after_ms_) {
        ++row;
        continue;
      }
      bytes_ -= bytes_of(row->first, row->second.values.size());
      --count_;
      row = rows.erase(row);
    }
  }
}

void LatestRows::clear() {
  families_.clear();
  bytes_ = count_ = 0;
}

}  // namespace pganalytics::exporters
