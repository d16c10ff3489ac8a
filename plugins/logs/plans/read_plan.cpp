#include "plugins/logs/plans/read_plan.h"

#include "plugins/logs/plans/json_plan.h"
#include "plugins/logs/plans/plan_summary.h"
#include "plugins/logs/plans/text_plan.h"

#include <algorithm>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace pganalytics::logs {
namespace {

Expected<Plan> parse(const Event& event) {
  constexpr std::string_view kStart = "plan:";
  if (event.truncated_bytes > 0) return Error{PGA_E_LIMIT, "plan.cut", "the entry is longer than what is kept of it", "", 0};
  std::string_view text = event.message;
  text.remove_prefix(std::min(text.find(kStart) + kStart.size(), text.size()));
  const std::size_t first = text.find_first_not_of(" \n");
  const bool json = first != std::string_view::npos && text[first] == '{';
  return json ? parse_json_plan(text) : parse_text_plan(text);
}

template <class Number>
Field number_field(std::string_view name, Number number) {
  JsonWriter json;
  json.value(number);
  return {name, std::string(json.text()), true};
}

void add_summary(std::vector<Field>& fields, const std::vector<PlanNode>& nodes) {
  fields.push_back(number_field("nodes", nodes.size()));
  fields.push_back({"top_node", nodes.front().type});
  fields.push_back(number_field("total_cost", nodes.front().total_cost));
  const PlanSummary summary = summarise(nodes);
  if (summary.slowest) {
    fields.push_back(number_field("slowest_node", summary.slowest->node));
    fields.push_back({"slowest_node_type", nodes[summary.slowest->node].type});
    fields.push_back(number_field("slowest_node_ms", summary.slowest->ms));
  }
  if (summary.misestimate) {
    fields.push_back(number_field("misestimated_node", summary.misestimate->node));
    fields.push_back(number_field("misestimate_factor", summary.misestimate->factor));
  }
}

}  // namespace

void add_plan(Event& event, const EventClass& event_class) {
  if (event_class.name != "statement.plan") return;
  auto plan = parse(event);
  if (!plan) {
    constexpr std::string_view kArea = "plan.";
    event.fields.push_back({"plan_error", plan.error().code.substr(kArea.size())});
    return;
  }
  event.plan = plan_json(plan->nodes);
  add_summary(event.fields, plan->nodes);
  if (event.statement.empty()) event.statement = std::move(plan->query);
}

}  // namespace pganalytics::logs
