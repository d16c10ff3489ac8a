#include "plugins/logs/plans/json_plan.h"

#include <rapidjson/document.h>

#include <string>

namespace pganalytics::logs {
namespace {

using rapidjson::Value;

Error odd() { return {PGA_E_FAIL, "plan.odd", "not a plan as the json format writes it", "", 0}; }

const Value* member(const Value& object, std::string_view name) {
  const auto found = object.FindMember(Value(rapidjson::StringRef(name.data(), name.size())));
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string text(const Value& object, std::string_view name) {
  const Value* const value = member(object, name);
  if (value == nullptr || !value->IsString() || value->GetStringLength() > kMaxPlanTextBytes) return "";
  const std::string_view found(value->GetString(), value->GetStringLength());
  return found.find('\0') == std::string_view::npos ? std::string(found) : "";
}

bool flag(const Value& object, std::string_view name) {
  const Value* const value = member(object, name);
  return value != nullptr && value->IsTrue();
}

std::optional<std::int64_t> count(const Value& object, std::string_view name) {
  const Value* const value = member(object, name);
  return value != nullptr && value->IsInt64() ? std::optional(value->GetInt64()) : std::nullopt;
}

std::optional<double> number(const Value& object, std::string_view name) {
  const Value* const value = member(object, name);
  return value != nullptr && value->IsNumber() ? std::optional(value->GetDouble()) : std::nullopt;
}

// What is scanned has its name in a member that says what it is.
void name_object(PlanNode& node, const Value& object) {
  for (const std::string_view kind : {"Relation Name", "Function Name", "CTE Name", "Table Function Name", "Tuplestore Name"}) {
    if (node.relation.empty()) node.relation = text(object, kind);
  }
  node.alias = text(object, "Alias");
  if (node.relation.empty()) node.relation = node.alias;
  if (node.alias == node.relation) node.alias.clear();
}

void describe_work(PlanNode& node, const Value& object) {
  node.operation = text(object, "Operation");
  if (node.operation == "Select") node.operation.clear();  // of a foreign scan: the usual
  node.strategy = text(object, "Strategy");
  node.partial_mode = text(object, "Partial Mode");
  if (node.partial_mode == "Simple") node.partial_mode.clear();
  node.join_type = text(object, "Join Type");
  node.subplan = text(object, "Subplan Name");
  node.parallel = flag(object, "Parallel Aware");
  node.backward = text(object, "Scan Direction") == "Backward";
}

void measure(PlanNode& node, const Value& object) {
  node.loops = count(object, "Actual Loops");
  if (node.loops == 0) {
    node.never_executed = true;
    node.loops.reset();
  } else if (node.loops) {
    node.actual_startup_ms = number(object, "Actual Startup Time");
    node.actual_total_ms = number(object, "Actual Total Time");
    node.actual_rows = number(object, "Actual Rows");
  }
  node.sort_method = text(object, "Sort Method");
  node.sort_space_type = text(object, "Sort Space Type");
  if (const auto kb = count(object, "Sort Space Used")) node.sort_space_bytes = kilobytes(*kb);
  for (const PlanCount& each : plan_counts()) {
    const auto found = count(object, each.property);
    if (found && (*found != 0 || each.zero_is_said)) node.*each.member = found;
  }
  for (const PlanBlocks& each : plan_block_counts()) {
    const auto found = count(object, each.member_name);
    if (found && *found != 0) node.*each.member = found;
  }
}

Expected<PlanNode> to_node(const Value& object, int depth) {
  PlanNode node;
  node.depth = depth;
  node.type = text(object, "Node Type");
  const auto startup_cost = number(object, "Startup Cost");
  const auto total_cost = number(object, "Total Cost");
  const auto rows = count(object, "Plan Rows");
  const auto width = count(object, "Plan Width");
  if (node.type.empty() || !startup_cost || !total_cost || !rows || !width) return odd();
  node.startup_cost = *startup_cost;
  node.total_cost = *total_cost;
  node.plan_rows = *rows;
  node.width_bytes = *width;
  node.schema = text(object, "Schema");
  node.index = text(object, "Index Name");
  name_object(node, object);
  describe_work(node, object);
  measure(node, object);
  return node;
}

Outcome add_nodes(const Value& object, int depth, std::vector<PlanNode>& nodes) {
  if (depth > kMaxPlanDepth || nodes.size() >= kMaxPlanNodes) {
    return Error{PGA_E_LIMIT, "plan.limit", "a plan of more nodes or levels than are read", "", 0};
  }
  if (!object.IsObject()) return odd();
  PGA_TRY(PlanNode node, to_node(object, depth));
  nodes.push_back(std::move(node));
  const Value* const below = member(object, "Plans");
  if (below == nullptr) return {};
  if (!below->IsArray()) return odd();
  for (const Value& child : below->GetArray()) PGA_CHECK(add_nodes(child, depth + 1, nodes));
  return {};
}

}  // namespace

Expected<Plan> parse_json_plan(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return odd();
  const Value* const top = member(document, "Plan");
  if (top == nullptr) return odd();
  Plan plan;
  PGA_CHECK(add_nodes(*top, 0, plan.nodes));
  const Value* const query = member(document, "Query Text");
  if (query != nullptr && query->IsString()) plan.query.assign(query->GetString(), query->GetStringLength());
  return plan;
}

}  // namespace pganalytics::logs
