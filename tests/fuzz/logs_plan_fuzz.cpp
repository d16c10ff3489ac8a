// Bytes of any kind as a plan of auto_explain, in its text format or its json format. The promise: no crash, no more nodes and
// levels than are allowed, each at most one level below the one before, and valid JSON.
// links: logs_objects
#include "plugins/logs/plans/json_plan.h"
#include "plugins/logs/plans/plan_summary.h"
#include "plugins/logs/plans/text_plan.h"

#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

void check(const pganalytics::Expected<pganalytics::logs::Plan>& plan) {
  using namespace pganalytics::logs;
  if (!plan) return require(plan.error().code == "plan.odd" || plan.error().code == "plan.limit");
  const auto& nodes = plan.value().nodes;
  require(!nodes.empty() && nodes.size() <= kMaxPlanNodes);
  int depth = -1;
  for (const PlanNode& node : nodes) {
    require(node.depth >= (depth < 0 ? 0 : 1) && node.depth <= depth + 1 && node.depth <= kMaxPlanDepth);
    require(!node.type.empty());
    for (const std::string* name : {&node.type, &node.relation, &node.alias, &node.schema, &node.index, &node.subplan}) {
      require(name->size() <= kMaxPlanTextBytes && name->find('\0') == std::string::npos);
    }
    depth = node.depth;
  }
  const std::string json = plan_json(nodes);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
  require(!document.HasParseError() && document.Size() == nodes.size());
  const PlanSummary summary = summarise(nodes);
  require(!summary.slowest || (summary.slowest->node < nodes.size() && summary.slowest->ms >= 0));
  require(!summary.misestimate || (summary.misestimate->node < nodes.size() && !(summary.misestimate->factor < 1)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(pganalytics::logs::parse_json_plan(text));
  check(pganalytics::logs::parse_text_plan(text));
  return 0;
}
