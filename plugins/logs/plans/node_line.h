// A line of the text format that is a node:
//
//     Index Scan Backward using t_pkey on shop.t x  (cost=0.29..8.30 rows=1 width=18) (actual time=0.008..0.009 rows=1 loops=1)
//
// ExplainNode() and ExplainTargetRel() of explain.c compose it; what they add to a node's type in words (join type, strategy,
// operation) is taken off again, so that the type is the json format's. Not here: which line is below which. Pure; any thread.
#pragma once

#include "plugins/logs/plans/plan.h"

#include <optional>
#include <string_view>

namespace pganalytics::logs {

// `line` without its indentation and arrow; nullopt if it is not a node's. The depth is the caller's.
std::optional<PlanNode> parse_node_line(std::string_view line);

}  // namespace pganalytics::logs
