#include "plugins/logs/class_counts.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pganalytics::logs {
namespace {

constexpr std::array<std::string_view, kSeverityNames.size() + 1> kSeverityKeys = {"debug", "log",   "info",  "notice", "warning",
                                                                                   "error", "fatal", "panic", "other"};

}  // namespace

void ClassCounts::add(const Kind& kind, bool delivered) {
  const std::size_t number = kind_number(kind);
  Count& count = counts_[number];
  if (count.entries++ == 0) {
    count.kind = kind;
    kinds_.push_back(number);
  }
  if (delivered) ++count.delivered;
}

void ClassCounts::clear() {
  for (const std::size_t number : kinds_) counts_[number] = Count();
  kinds_.clear();
}

void ClassCounts::write(JsonWriter& json) const {
  std::vector<std::size_t> in_order = kinds_;
  std::sort(in_order.begin(), in_order.end());
  json.begin_array();
  for (const std::size_t number : in_order) {
    const Count& count = counts_[number];
    json.begin_object().member("class", class_name(count.kind.class_number)).key("severity");
    count.kind.severity ? json.value(severity_name(*count.kind.severity)) : json.value(nullptr);
    json.member("entries", count.entries).member("delivered", count.delivered).end_object();
  }
  json.end_array();
}

void ClassCounts::write_by_severity(JsonWriter& json) const {
  std::array<std::uint64_t, kSeverityKeys.size()> entries{};
  for (const std::size_t number : kinds_) {
    const Count& count = counts_[number];
    entries[severity_number(count.kind.severity)] += count.entries;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) json.member(kSeverityKeys[i], entries[i]);
}

}  // namespace pganalytics::logs
