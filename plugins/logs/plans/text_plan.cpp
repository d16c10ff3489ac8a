#include "plugins/logs/plans/text_plan.h"

#include "plugins/logs/plans/node_line.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <string>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kArrow = "->  ";
constexpr std::size_t kTopIndent = 2;   // of what the top node says of itself
constexpr std::size_t kBelowArrow = 6;  // as much further to the right do others

Error odd(const char* what) { return {PGA_E_FAIL, "plan.odd", what, "", 0}; }

bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// A literal of several lines leaves its quote open at the end of the first: what follows is not the server's.
bool closes_its_quotes(std::string_view line) {
  char open = '\0';
  for (const char c : line) {
    if (open == '\0' && (c == '\'' || c == '"')) {
      open = c;
    } else if (c == open) {
      open = '\0';
    }
  }
  return open == '\0';
}

// "Sort Method: external merge  Disk: 576kB"
void take_sort(std::string_view value, PlanNode& node) {
  const std::size_t gap = value.find("  ");
  const std::size_t colon = value.find(": ", gap == std::string_view::npos ? value.size() : gap);
  if (colon == std::string_view::npos || value.size() < colon + 4 || value.substr(value.size() - 2) != "kB") return;
  const auto space = to_number<std::int64_t>(value.substr(colon + 2, value.size() - 2 - (colon + 2)));
  if (!space) return;
  node.sort_method = std::string(value.substr(0, gap));
  node.sort_space_type = std::string(value.substr(gap + 2, colon - (gap + 2)));
  node.sort_space_bytes = kilobytes(*space);
}

// "shared hit=98995 read=2, temp written=35"
void take_buffers(std::string_view value, PlanNode& node) {
  std::string_view scope;
  while (!value.empty()) {
    std::string_view word = next_word(value);
    if (!word.empty() && word.back() == ',') word.remove_suffix(1);
    const std::size_t sign = word.find('=');
    if (sign == std::string_view::npos) {
      scope = word;
      continue;
    }
    for (const PlanBlocks& each : plan_block_counts()) {
      if (each.scope == scope && each.what == word.substr(0, sign)) {
        node.*each.member = to_number<std::int64_t>(word.substr(sign + 1));
      }
    }
  }
}

void take_property(std::string_view line, PlanNode& node) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 2);
  if (name == "Sort Method") take_sort(value, node);
  if (name == "Buffers") take_buffers(value, node);
  for (const PlanCount& each : plan_counts()) {
    if (each.property != name) continue;
    const auto count = to_number<std::int64_t>(value);
    if (count && (*count != 0 || each.zero_is_said)) node.*each.member = count;
  }
}

// "InitPlan 1 (returns $0)", "SubPlan 2", "CTE c": the name of the subplan whose top node comes next.
bool is_subplan_name(std::string_view line) {
  return (begins_with(line, "InitPlan ") || begins_with(line, "SubPlan ") || begins_with(line, "CTE ")) &&
         line.find(':') == std::string_view::npos && line.size() <= kMaxPlanTextBytes;
}

class Tree {
 public:
  Outcome add(std::string_view line) {
    if (!closes_its_quotes(line)) return odd("a literal of several lines");
    if (line.find('\0') != std::string_view::npos) return odd("a zero byte");
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    std::string_view rest = line.substr(indent);
    if (begins_with(rest, kArrow)) return add_node(rest.substr(kArrow.size()), indent);
    if (nodes.empty()) return add_node(rest, indent);
    if (is_subplan_name(rest)) {
      subplan_ = rest;
      return {};
    }
    // Settings, triggers and JIT stand at the margin, a worker's own numbers deeper than its node's.
    if (indent == below_.back()) take_property(rest, nodes.back());
    return {};
  }

  std::vector<PlanNode> nodes;

 private:
  Outcome add_node(std::string_view text, std::size_t indent) {
    auto node = parse_node_line(text);
    if (!node) return odd("a line with an arrow that is no node");
    while (!below_.empty() && indent < below_.back()) below_.pop_back();
    if (below_.empty() != nodes.empty()) return odd("two plans");
    if (nodes.size() >= kMaxPlanNodes || below_.size() > static_cast<std::size_t>(kMaxPlanDepth)) {
      return Error{PGA_E_LIMIT, "plan.limit", "a plan of more nodes or levels than are read", "", 0};
    }
    node->depth = static_cast<int>(below_.size());
    node->subplan = std::exchange(subplan_, {});
    below_.push_back(nodes.empty() ? kTopIndent : indent + kBelowArrow);
    nodes.push_back(std::move(*node));
    return {};
  }

  std::vector<std::size_t> below_;  // of the last node and those above it: where what is below begins
  std::string subplan_;
};

// Where the plan begins: behind the query, which may have lines of any kind. Only one may look like a plan's first.
Expected<std::size_t> find_top(std::string_view text) {
  std::size_t top = std::string_view::npos;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (!line.empty() && line.front() != ' ' && parse_node_line(line)) {
      if (top != std::string_view::npos) return odd("two lines that could be the plan's first");
      top = at;
    }
    at = end + 1;
  }
  if (top == std::string_view::npos) return odd("no line that is a plan's first");
  return top;
}

std::string query_of(std::string_view head) {
  constexpr std::string_view kQuery = "Query Text: ";
  while (!head.empty() && head.front() == '\n') head.remove_prefix(1);
  if (!begins_with(head, kQuery)) return "";
  head.remove_prefix(kQuery.size());
  head = head.substr(0, head.rfind("\nQuery Parameters: "));
  while (!head.empty() && head.back() == '\n') head.remove_suffix(1);
  return std::string(head);
}

}  // namespace

Expected<Plan> parse_text_plan(std::string_view text) {
  PGA_TRY(const std::size_t top, find_top(text));
  Plan plan;
  plan.query = query_of(text.substr(0, top));
  Tree tree;
  for (std::string_view rest = text.substr(top); const auto line = next_line(rest);) PGA_CHECK(tree.add(*line));
  plan.nodes = std::move(tree.nodes);
  return plan;
}

}  // namespace pganalytics::logs
