#include "plugins/logs/plans/plan_summary.h"

#include <algorithm>
#include <cmath>

namespace pganalytics::logs {
namespace {

// How many processes share the loops of what is below a Gather: the workers, and the leader that helps them.
double processes_below(const PlanNode& node, double processes) {
  return node.workers_launched ? static_cast<double>(std::max<std::int64_t>(*node.workers_launched, 0)) + 1 : processes;
}

// Of each node, with those below it, by the clock: a node's time is that of one loop on average.
std::vector<double> times_ms(const std::vector<PlanNode>& nodes) {
  std::vector<double> times;
  std::vector<double> processes;  // by depth, of the nodes there
  for (const PlanNode& node : nodes) {
    processes.resize(static_cast<std::size_t>(node.depth) + 1, 1);
    const double loops = static_cast<double>(node.loops.value_or(0)) / processes.back();
    times.push_back(node.actual_total_ms.value_or(0) * std::max(loops, node.loops ? 1.0 : 0.0));
    processes.push_back(processes_below(node, processes.back()));
  }
  return times;
}

// What is below is taken off, down to nothing: a CTE's time is its reader's, not that of the node it hangs below.
std::vector<double> own_times_ms(const std::vector<PlanNode>& nodes) {
  const std::vector<double> times = times_ms(nodes);
  std::vector<double> own = times;
  std::vector<std::size_t> above;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    above.resize(static_cast<std::size_t>(nodes[i].depth));
    if (!above.empty()) own[above.back()] -= times[i];
    above.push_back(i);
  }
  for (double& ms : own) ms = std::max(ms, 0.0);
  return own;
}

std::optional<PlanSummary::Slowest> slowest_of(const std::vector<PlanNode>& nodes) {
  if (nodes.empty() || !nodes.front().actual_total_ms) return std::nullopt;
  const std::vector<double> own = own_times_ms(nodes);
  const auto slowest = std::max_element(own.begin(), own.end());
  if (!std::isfinite(*slowest)) return std::nullopt;
  return PlanSummary::Slowest{static_cast<std::size_t>(slowest - own.begin()), *slowest};
}

std::optional<PlanSummary::Misestimate> misestimate_of(const std::vector<PlanNode>& nodes) {
  std::optional<PlanSummary::Misestimate> worst;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].actual_rows) continue;
    const double expected = std::max(static_cast<double>(nodes[i].plan_rows), 1.0);
    const double came = std::max(*nodes[i].actual_rows, 1.0);
    const double factor = std::max(expected / came, came / expected);
    if (!worst || factor > worst->factor) worst = PlanSummary::Misestimate{i, factor};
  }
  return worst;
}

}  // namespace

PlanSummary summarise(const std::vector<PlanNode>& nodes) { return {slowest_of(nodes), misestimate_of(nodes)}; }

}  // namespace pganalytics::logs
