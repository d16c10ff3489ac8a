#include "plugins/pg_stats/server_cost.h"

#include <rapidjson/document.h>

namespace pganalytics::pg_stats {
namespace {

using rapidjson::Value;

Error no_plan() {
  return {PGA_E_FAIL, "pg.plan", "measuring what a statement costs: EXPLAIN answered with something else", "", 0};
}

double number(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsNumber() ? member->value.GetDouble() : 0;
}

std::int64_t count(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsInt64() ? member->value.GetInt64() : 0;
}

// Of the node at the top, which includes those below it, or of planning.
void add_blocks(ServerCost& cost, const Value& node) {
  cost.blocks_hit += count(node, "Shared Hit Blocks");
  cost.blocks_read += count(node, "Shared Read Blocks");
  cost.temp_blocks += count(node, "Temp Written Blocks");
}

}  // namespace

Expected<ServerCost> parse_plan(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsArray() || document.Size() != 1 || !document[0].IsObject()) return no_plan();
  const Value& explained = document[0];
  const auto plan = explained.FindMember("Plan");
  if (plan == explained.MemberEnd() || !plan->value.IsObject()) return no_plan();
  ServerCost cost;
  cost.ms = number(explained, "Planning Time") + number(explained, "Execution Time");
  add_blocks(cost, plan->value);
  if (const auto planning = explained.FindMember("Planning"); planning != explained.MemberEnd() && planning->value.IsObject())
    add_blocks(cost, planning->value);
  return cost;
}

Expected<ServerCost> measure_cost(postgres::ReadOnlySession& session, const std::string& select) {
  auto rows = session.query("/* pganalytics:pg_stats/cost */ EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + select);
  if (!rows) return std::move(rows).error().while_doing("measuring what reading it costs");
  if (rows->size() != 1 || rows->columns() != 1) return no_plan();
  return parse_plan(rows->text(0, 0));
}

}  // namespace pganalytics::pg_stats
