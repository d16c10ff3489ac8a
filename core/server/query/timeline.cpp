#include "core/server/query/timeline.h"

#include <algorithm>

namespace pganalytics::server::query {
namespace {

using store::StepRow;
using Kind = Aggregate::Kind;

constexpr std::int64_t kComparedS = 86'400;

class Filler {
 public:
  Filler(const Aggregate& aggregate, const Grid& grid, std::int64_t hold_s)
      : aggregate_(aggregate), grid_(grid), hold_s_(hold_s), values_(grid.steps) {}

  Values fill(const std::vector<StepRow>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::int64_t index = index_of(steps[i]);
      if (aggregate_.of_growth()) {
        grow(i > 0 ? index_of(steps[i - 1]) : index - 1, index, steps[i].growth);
        continue;
      }
      put(index, gauge_of(steps[i]));
      if (aggregate_.kind != Kind::kSum) hold(index, i + 1 < steps.size() ? index_of(steps[i + 1]) : size(), steps[i].last);
    }
    return std::move(values_);
  }

 private:
  // Of the grid's first step 0; of those before it negative.
  [[nodiscard]] std::int64_t index_of(const StepRow& step) const { return (step.time_unix_s - grid_.from_unix_s) / grid_.step_s; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }

  [[nodiscard]] std::optional<double> gauge_of(const StepRow& step) const {
    switch (aggregate_.kind) {
      case Kind::kAvg: return step.total / static_cast<double>(step.count);
      case Kind::kMin: return step.least;
      case Kind::kMax: return step.greatest;
      case Kind::kSum: return step.total;
      case Kind::kQuantile: return step.quantile;
      default: return step.last;
    }
  }

  void put(std::int64_t index, std::optional<double> value) {
    if (index >= 0 && index < size()) values_[static_cast<std::size_t>(index)] = value;
  }

  // Whether what was known at the end of step `known` still holds where `step` begins.
  [[nodiscard]] bool holds(std::int64_t known, std::int64_t step) const { return (step - known - 1) * grid_.step_s < hold_s_; }

  void hold(std::int64_t known, std::int64_t next, double value) {
    for (std::int64_t step = known + 1; step < std::min(next, size()) && holds(known, step); ++step) put(step, value);
  }

  void grow(std::int64_t before, std::int64_t step, std::optional<double> growth) {
    if (!growth) return;
    // Samples more than a day apart are not compared: what grew, grew within the step.
    if ((step - before - 1) * grid_.step_s >= kComparedS) before = step - 1;
    const std::int64_t steps = step - before;
    const bool is_gap = steps > 1 && !holds(before, step - 1);
    const bool is_rate = aggregate_.kind == Kind::kRate;
    const double share = *growth / static_cast<double>(steps);
    if (is_gap) {
      put_growth(step, is_rate ? share : *growth);
    } else {
      for (std::int64_t each = std::max<std::int64_t>(before + 1, 0); each <= step; ++each) put_growth(each, share);
    }
  }

  void put_growth(std::int64_t step, double growth) {
    if (aggregate_.kind == Kind::kIncrease) return put(step, growth);
    const std::int64_t end = grid_.from_unix_s + (step + 1) * grid_.step_s;
    if (end <= grid_.now_unix_s) put(step, growth / static_cast<double>(grid_.step_s));
  }

  const Aggregate& aggregate_;
  const Grid& grid_;
  const std::int64_t hold_s_;
  Values values_;
};

}  // namespace

Values values_of(const std::vector<StepRow>& rows, const Aggregate& aggregate, const Grid& grid, std::int64_t hold_s) {
  return Filler(aggregate, grid, hold_s).fill(rows);
}

}  // namespace pganalytics::server::query
