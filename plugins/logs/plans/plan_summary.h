// What to look at first in a plan. Pure; any thread.
#pragma once

#include "plugins/logs/plans/plan.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace pganalytics::logs {

struct PlanSummary {
  struct Slowest {
    std::size_t node = 0;  // counted from 0, as in Plan::nodes
    double ms = 0;         // its own, without the nodes below it
  };
  struct Misestimate {
    std::size_t node = 0;
    double factor = 1;  // rows that came by rows that were expected, or the other way round: never below 1
  };
  std::optional<Slowest> slowest;          // where the times were measured
  std::optional<Misestimate> misestimate;  // where the rows were
};

PlanSummary summarise(const std::vector<PlanNode>& nodes);

}  // namespace pganalytics::logs
