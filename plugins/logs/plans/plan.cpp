#include "plugins/logs/plans/plan.h"

#include "plugins/logs/privacy/credentials.h"

#include <iterator>
#include <pganalytics/json.hpp>

namespace pganalytics::logs {
namespace {

constexpr PlanCount kCounts[] = {
    {"Rows Removed by Filter", "rows_removed_by_filter", &PlanNode::rows_removed_by_filter, false},
    {"Rows Removed by Join Filter", "rows_removed_by_join_filter", &PlanNode::rows_removed_by_join_filter, false},
    {"Rows Removed by Index Recheck", "rows_removed_by_index_recheck", &PlanNode::rows_removed_by_index_recheck, false},
    {"Heap Fetches", "heap_fetches", &PlanNode::heap_fetches, true},
    {"Workers Planned", "workers_planned", &PlanNode::workers_planned, true},
    {"Workers Launched", "workers_launched", &PlanNode::workers_launched, true},
};

constexpr PlanBlocks kBlocks[] = {
    {"shared", "hit", "Shared Hit Blocks", "shared_hit_blocks", &PlanNode::shared_hit_blocks},
    {"shared", "read", "Shared Read Blocks", "shared_read_blocks", &PlanNode::shared_read_blocks},
    {"shared", "dirtied", "Shared Dirtied Blocks", "shared_dirtied_blocks", &PlanNode::shared_dirtied_blocks},
    {"shared", "written", "Shared Written Blocks", "shared_written_blocks", &PlanNode::shared_written_blocks},
    {"local", "hit", "Local Hit Blocks", "local_hit_blocks", &PlanNode::local_hit_blocks},
    {"local", "read", "Local Read Blocks", "local_read_blocks", &PlanNode::local_read_blocks},
    {"local", "dirtied", "Local Dirtied Blocks", "local_dirtied_blocks", &PlanNode::local_dirtied_blocks},
    {"local", "written", "Local Written Blocks", "local_written_blocks", &PlanNode::local_written_blocks},
    {"temp", "read", "Temp Read Blocks", "temp_read_blocks", &PlanNode::temp_read_blocks},
    {"temp", "written", "Temp Written Blocks", "temp_written_blocks", &PlanNode::temp_written_blocks},
};

class NodeWriter {
 public:
  explicit NodeWriter(JsonWriter& json) : json_(json) {}

  void write(const PlanNode& node) {
    json_.begin_object().member("depth", node.depth).member("type", node.type);
    texts(node);
    if (node.parallel) json_.member("parallel", true);
    if (node.backward) json_.member("backward", true);
    json_.member("startup_cost", node.startup_cost).member("total_cost", node.total_cost);
    json_.member("plan_rows", node.plan_rows).member("width_bytes", node.width_bytes);
    if (node.never_executed) json_.member("never_executed", true);
    if_any("actual_startup_ms", node.actual_startup_ms);
    if_any("actual_total_ms", node.actual_total_ms);
    if_any("actual_rows", node.actual_rows);
    if_any("loops", node.loops);
    if_any("sort_space_bytes", node.sort_space_bytes);
    for (const PlanCount& count : kCounts) if_any(count.key, node.*count.member);
    for (const PlanBlocks& blocks : kBlocks) if_any(blocks.key, node.*blocks.member);
    json_.end_object();
  }

 private:
  void texts(const PlanNode& node) {
    if_any("operation", node.operation);
    if_any("strategy", node.strategy);
    if_any("partial_mode", node.partial_mode);
    if_any("join_type", node.join_type);
    if_any("subplan", node.subplan);
    if_any("schema", node.schema);
    if_any("relation", node.relation);
    if_any("alias", node.alias);
    if_any("index", node.index);
    if_any("sort_method", node.sort_method);
    if_any("sort_space_type", node.sort_space_type);
  }

  // An object may have any name, also one that reads as a password.
  void if_any(std::string_view key, const std::string& text) {
    if (!text.empty()) json_.member(key, without_credentials(text));
  }
  template <class Number>
  void if_any(std::string_view key, const std::optional<Number>& number) {
    if (number) json_.member(key, *number);
  }

  JsonWriter& json_;
};

}  // namespace

PlanCounts plan_counts() { return {kCounts, std::size(kCounts)}; }

PlanBlockCounts plan_block_counts() { return {kBlocks, std::size(kBlocks)}; }

std::string plan_json(const std::vector<PlanNode>& nodes) {
  JsonWriter json;
  json.begin_array();
  NodeWriter writer(json);
  for (const PlanNode& node : nodes) writer.write(node);
  return std::string(json.end_array().text());
}

}  // namespace pganalytics::logs
