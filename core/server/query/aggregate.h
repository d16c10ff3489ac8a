// What is made of the samples in one step: of gauges avg, min, max, sum, last, quantile(0.95); of counters rate, increase, last.
//
// The others are refused: the average of a number that only grows says nothing, and a gauge that falls did not begin anew.
// [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::query {

struct Aggregate {
  enum class Kind { kAvg, kMin, kMax, kSum, kLast, kQuantile, kRate, kIncrease } kind = Kind::kAvg;
  double quantile = 0;  // of kQuantile, 0 to 1
  [[nodiscard]] bool of_growth() const { return kind == Kind::kRate || kind == Kind::kIncrease; }
};

// For a field of that kind ("gauge", "counter", "updown"). text "": rate of a counter, avg of the others. PGA_E_CONFIG: unknown,
// or not for such a field.
Expected<Aggregate> parse_aggregate(std::string_view text, const std::string& field_kind);

std::string to_text(const Aggregate& aggregate);  // "rate", "quantile(0.95)"

}  // namespace pganalytics::server::query
