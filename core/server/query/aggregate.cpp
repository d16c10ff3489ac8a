#include "core/server/query/aggregate.h"

#include <array>
#include <optional>
#include <pganalytics/json.hpp>
#include <pganalytics/text.hpp>

namespace pganalytics::server::query {
namespace {

using Kind = Aggregate::Kind;

struct Named {
  std::string_view name;
  Kind kind;
  bool of_gauges, of_counters;
};
constexpr std::array kNamed = {
    Named{"avg", Kind::kAvg, true, false},   Named{"min", Kind::kMin, true, false},
    Named{"max", Kind::kMax, true, false},   Named{"sum", Kind::kSum, true, false},
    Named{"last", Kind::kLast, true, true},  Named{"quantile", Kind::kQuantile, true, false},
    Named{"rate", Kind::kRate, false, true}, Named{"increase", Kind::kIncrease, false, true},
};
constexpr char kOfGauges[] = "avg, min, max, sum, last, quantile(0..1)";
constexpr char kOfCounters[] = "rate, increase, last";

Error wrong(std::string message) { return Error{PGA_E_CONFIG, "query.aggregate", std::move(message), {}, 0}; }

// "quantile(0.95)" -> 0.95
std::optional<double> quantile_of(std::string_view text) {
  constexpr std::string_view kOpening = "quantile(";
  if (text.substr(0, kOpening.size()) != kOpening || text.back() != ')') return std::nullopt;
  const auto number = to_number<double>(text.substr(kOpening.size(), text.size() - kOpening.size() - 1));
  return number && *number >= 0 && *number <= 1 ? number : std::nullopt;
}

const Named* find(std::string_view name) {
  for (const Named& named : kNamed) {
    if (named.name == name) return &named;
  }
  return nullptr;
}

}  // namespace

Expected<Aggregate> parse_aggregate(std::string_view text, const std::string& field_kind) {
  const bool is_counter = field_kind == "counter";
  if (text.empty()) return Aggregate{is_counter ? Kind::kRate : Kind::kAvg, 0};
  const auto quantile = quantile_of(text);
  const Named* const named = quantile ? find("quantile") : find(text);
  if (named == nullptr || (named->kind == Kind::kQuantile && !quantile))
    return wrong(std::string("is none of ") + kOfGauges + ", rate, increase");
  if (!(is_counter ? named->of_counters : named->of_gauges))
    return wrong("is not for a " + field_kind + "; there are " + (is_counter ? kOfCounters : kOfGauges));
  return Aggregate{named->kind, quantile.value_or(0)};
}

std::string to_text(const Aggregate& aggregate) {
  for (const Named& named : kNamed) {
    if (named.kind != aggregate.kind) continue;
    if (named.kind != Kind::kQuantile) return std::string(named.name);
    JsonWriter number;
    number.value(aggregate.quantile);
    return "quantile(" + std::string(number.text()) + ")";
  }
  return {};
}

}  // namespace pganalytics::server::query
