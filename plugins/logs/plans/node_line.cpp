#include "plugins/logs/plans/node_line.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <string>

namespace pganalytics::logs {
namespace {

bool take(std::string_view& text, std::string_view start) {
  if (text.substr(0, start.size()) != start) return false;
  text.remove_prefix(start.size());
  return true;
}

bool take_end(std::string_view& text, std::string_view end) {
  if (text.size() < end.size() || text.substr(text.size() - end.size()) != end) return false;
  text.remove_suffix(end.size());
  return true;
}

// Up to `end`, which is taken too.
template <class Number>
std::optional<Number> take_number(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(0, at);
  if (digits.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;  // "inf"
  const auto number = to_number<Number>(digits);
  text.remove_prefix(at + end.size());
  return number;
}

// A name as quote_identifier() writes it.
std::optional<std::string> take_name(std::string_view& text) {
  std::string name;
  if (!take(text, "\"")) {
    const std::size_t end = std::min(text.find_first_of(" ."), text.size());
    name = std::string(text.substr(0, end));
    text.remove_prefix(end);
  } else {
    for (;;) {
      const std::size_t quote = text.find('"');
      if (quote == std::string_view::npos) return std::nullopt;
      name += text.substr(0, quote);
      text.remove_prefix(quote + 1);
      if (!take(text, "\"")) break;
      name += '"';
    }
  }
  if (name.empty() || name.size() > kMaxPlanTextBytes || name.find('\0') != std::string::npos) return std::nullopt;
  return name;
}

// "shop.t x"
bool take_target(std::string_view text, PlanNode& node) {
  auto name = take_name(text);
  if (name && take(text, ".")) {
    node.schema = *name;
    name = take_name(text);
  }
  if (!name) return false;
  node.relation = *name;
  if (text.empty()) return true;
  if (!take(text, " ")) return false;
  const auto alias = take_name(text);
  if (!alias || !text.empty()) return false;
  node.alias = *alias;
  return true;
}

void take_join_type(std::string_view& type, PlanNode& node) {
  for (const std::string_view join : {"Nested Loop", "Hash", "Merge"}) {
    std::string_view rest = type;
    if (!take(rest, join)) continue;
    const bool said = take_end(rest, " Join");
    if (!said && (join != "Nested Loop" || !rest.empty())) continue;  // "Hash", "Merge Append"
    take(rest, " ");
    node.join_type = rest.empty() ? "Inner" : std::string(rest);
    type = join == "Nested Loop" ? "Nested Loop" : join == "Hash" ? "Hash Join" : "Merge Join";
    return;
  }
}

struct Renamed {
  std::string_view written;
  std::string_view type;
  std::string PlanNode::*member;
  std::string_view value;
};

constexpr Renamed kRenamed[] = {
    {"Aggregate", "Aggregate", &PlanNode::strategy, "Plain"},
    {"GroupAggregate", "Aggregate", &PlanNode::strategy, "Sorted"},
    {"HashAggregate", "Aggregate", &PlanNode::strategy, "Hashed"},
    {"MixedAggregate", "Aggregate", &PlanNode::strategy, "Mixed"},
    {"Insert", "ModifyTable", &PlanNode::operation, "Insert"},
    {"Update", "ModifyTable", &PlanNode::operation, "Update"},
    {"Delete", "ModifyTable", &PlanNode::operation, "Delete"},
    {"Merge", "ModifyTable", &PlanNode::operation, "Merge"},
    {"Foreign Insert", "Foreign Scan", &PlanNode::operation, "Insert"},
    {"Foreign Update", "Foreign Scan", &PlanNode::operation, "Update"},
    {"Foreign Delete", "Foreign Scan", &PlanNode::operation, "Delete"},
};

void set_type(std::string_view type, PlanNode& node) {
  node.parallel = take(type, "Parallel ");
  take(type, "Async ");
  node.backward = take_end(type, " Backward");
  for (const std::string_view mode : {"Partial", "Finalize"}) {
    std::string_view rest = type;
    if (!take(rest, mode) || !take(rest, " ")) continue;
    node.partial_mode = std::string(mode);
    type = rest;
  }
  take_join_type(type, node);
  for (const Renamed& renamed : kRenamed) {
    if (type != renamed.written) continue;
    node.type = std::string(renamed.type);
    node.*renamed.member = std::string(renamed.value);
    return;
  }
  for (const std::string_view set_operation : {"SetOp", "HashSetOp"}) {  // "HashSetOp Except All"
    std::string_view rest = type;
    if (!take(rest, set_operation) || !take(rest, " ")) continue;
    node.type = "SetOp";
    node.strategy = set_operation == "SetOp" ? "Sorted" : "Hashed";
    return;
  }
  if (take(type, "Custom Scan")) type = "Custom Scan";  // its provider stands behind, in parentheses
  node.type = std::string(type);
}

// "Index Scan using t_pkey on shop.t x", "Bitmap Index Scan on t_b"
bool take_head(std::string_view head, PlanNode& node) {
  constexpr std::string_view kUsing = " using ";
  constexpr std::string_view kOn = " on ";
  const std::size_t end = std::min({head.find(kUsing), head.find(kOn), head.size()});
  const std::string_view type = head.substr(0, end);
  if (type.empty() || type.size() > kMaxPlanTextBytes || type.find_first_of("'\":=") != std::string_view::npos) return false;
  set_type(type, node);
  if (node.type.empty()) return false;
  head.remove_prefix(end);
  if (take(head, kUsing)) {
    const auto index = take_name(head);
    if (!index) return false;
    node.index = *index;
  }
  if (head.empty()) return true;
  if (!take(head, kOn) || !take_target(head, node)) return false;
  if (node.type == "Bitmap Index Scan") node.index.swap(node.relation);
  return true;
}

// "0.29..8.30 rows=1 width=18)"
bool take_estimate(std::string_view& text, PlanNode& node) {
  const auto startup_cost = take_number<double>(text, "..");
  const auto total_cost = take_number<double>(text, " rows=");
  const auto rows = take_number<std::int64_t>(text, " width=");
  const auto width = take_number<std::int64_t>(text, ")");
  if (!startup_cost || !total_cost || !rows || !width) return false;
  node.startup_cost = *startup_cost;
  node.total_cost = *total_cost;
  node.plan_rows = *rows;
  node.width_bytes = *width;
  return true;
}

// " (actual time=0.008..0.009 rows=1 loops=1)", without the time if it was not measured; nothing without ANALYZE.
bool take_actual(std::string_view text, PlanNode& node) {
  if (text.empty()) return true;
  if (text == " (never executed)") return node.never_executed = true;
  if (!take(text, " (actual ")) return false;
  if (take(text, "time=")) {
    node.actual_startup_ms = take_number<double>(text, "..");
    node.actual_total_ms = take_number<double>(text, " ");
    if (!node.actual_startup_ms || !node.actual_total_ms) return false;
  }
  if (!take(text, "rows=")) return false;
  node.actual_rows = take_number<double>(text, " loops=");
  node.loops = take_number<std::int64_t>(text, ")");
  return node.actual_rows && node.loops && text.empty();
}

}  // namespace

std::optional<PlanNode> parse_node_line(std::string_view line) {
  constexpr std::string_view kCost = "  (cost=";
  const std::size_t cost = line.find(kCost);
  if (cost == std::string_view::npos) return std::nullopt;
  PlanNode node;
  if (!take_head(line.substr(0, cost), node)) return std::nullopt;
  line.remove_prefix(cost + kCost.size());
  if (!take_estimate(line, node) || !take_actual(line, node)) return std::nullopt;
  return node;
}

}  // namespace pganalytics::logs
