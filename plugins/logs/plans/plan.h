// A plan that auto_explain logged: its nodes, top down, each with what is never private. Pure; any thread.
//
// The facts are those of PostgreSQL 14 to 18, src/backend/commands/explain.c (ExplainNode) and contrib/auto_explain. Both formats
// give the same nodes. The text format does not write a count of 0, so a count that is not there is 0 or was not measured.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Texts are empty where there is nothing to say. Times are milliseconds and, as the rows, of one loop on average; blocks are of
// all loops and include those of the nodes below.
struct PlanNode {
  int depth = 0;             // 0: the top
  std::string type;          // "Seq Scan", "Hash Join", "Aggregate", "ModifyTable": the json format's words
  std::string operation;     // of ModifyTable, and of a foreign scan that changes rows: "Insert", "Update", "Delete", "Merge"
  std::string strategy;      // of Aggregate: "Plain", "Sorted", "Hashed", "Mixed"; of SetOp: "Sorted", "Hashed"
  std::string partial_mode;  // "Partial", "Finalize"
  std::string join_type;     // "Inner", "Left", "Full", "Right", "Semi", "Anti"...
  std::string subplan;       // what the node and those below it are: "InitPlan 1", "SubPlan 1", "CTE c"
  std::string schema;        // with auto_explain.log_verbose
  std::string relation;      // table, CTE or function; of what has no name its alias
  std::string alias;         // where it is not `relation`
  std::string index;
  bool parallel = false;
  bool backward = false;
  double startup_cost = 0;
  double total_cost = 0;
  std::int64_t plan_rows = 0;
  std::int64_t width_bytes = 0;
  bool never_executed = false;
  std::optional<double> actual_startup_ms;
  std::optional<double> actual_total_ms;
  std::optional<double> actual_rows;
  std::optional<std::int64_t> loops;
  std::string sort_method;      // "quicksort", "external merge"
  std::string sort_space_type;  // "Memory", "Disk"
  std::optional<std::int64_t> sort_space_bytes;
  std::optional<std::int64_t> rows_removed_by_filter;
  std::optional<std::int64_t> rows_removed_by_join_filter;
  std::optional<std::int64_t> rows_removed_by_index_recheck;
  std::optional<std::int64_t> heap_fetches;
  std::optional<std::int64_t> workers_planned;
  std::optional<std::int64_t> workers_launched;
  std::optional<std::int64_t> shared_hit_blocks;
  std::optional<std::int64_t> shared_read_blocks;
  std::optional<std::int64_t> shared_dirtied_blocks;
  std::optional<std::int64_t> shared_written_blocks;
  std::optional<std::int64_t> local_hit_blocks;
  std::optional<std::int64_t> local_read_blocks;
  std::optional<std::int64_t> local_dirtied_blocks;
  std::optional<std::int64_t> local_written_blocks;
  std::optional<std::int64_t> temp_read_blocks;
  std::optional<std::int64_t> temp_written_blocks;
};

struct Plan {
  std::string query;  // as it was sent: private
  std::vector<PlanNode> nodes;
};

inline constexpr std::size_t kMaxPlanNodes = 256;
inline constexpr int kMaxPlanDepth = 64;
inline constexpr std::size_t kMaxPlanTextBytes = 256;  // of a name; an identifier has 63, quoting and a label aside

// A count of a node: how the formats name it, and how we do.
struct PlanCount {
  std::string_view property;  // a line "property: 12" of the text format, a member of the json format
  std::string_view key;       // in our documents
  std::optional<std::int64_t> PlanNode::*member;
  bool zero_is_said;  // in the text format too
};

// Blocks: "Buffers: shared hit=1 read=2, temp written=3" in the text format, a member for each in the json format.
struct PlanBlocks {
  std::string_view scope;        // "shared"
  std::string_view what;         // "hit"
  std::string_view member_name;  // "Shared Hit Blocks"
  std::string_view key;
  std::optional<std::int64_t> PlanNode::*member;
};

struct PlanCounts {
  const PlanCount* rows;
  std::size_t size;
  [[nodiscard]] const PlanCount* begin() const { return rows; }
  [[nodiscard]] const PlanCount* end() const { return rows + size; }
};
struct PlanBlockCounts {
  const PlanBlocks* rows;
  std::size_t size;
  [[nodiscard]] const PlanBlocks* begin() const { return rows; }
  [[nodiscard]] const PlanBlocks* end() const { return rows + size; }
};
PlanCounts plan_counts();
PlanBlockCounts plan_block_counts();

// PostgreSQL's kB are 1024 bytes. nullopt: of more than can be.
inline std::optional<std::int64_t> kilobytes(std::int64_t count) {
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  return count >= 0 && count <= kMost ? std::optional(count * 1024) : std::nullopt;
}

// The nodes as a JSON array of objects, `plan` of output.schema.json.
std::string plan_json(const std::vector<PlanNode>& nodes);

}  // namespace pganalytics::logs
