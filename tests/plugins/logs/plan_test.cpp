#include "plugins/logs/classes/classify.h"
#include "plugins/logs/plans/json_plan.h"
#include "plugins/logs/plans/plan_summary.h"
#include "plugins/logs/plans/read_plan.h"
#include "plugins/logs/plans/text_plan.h"
#include "plugins/logs/privacy/redact.h"
#include "tests/plugins/logs/log_folder.h"
#include "tests/support/catch.h"

#include <string>

namespace pganalytics::logs {
namespace {

Event planned(const std::string& plan) {
  Event event;
  event.severity = Severity::kLog;
  event.message = "duration: 12.5 ms  plan:\n" + plan;
  return event;
}

Event with_plan(Event event) {
  const EventClass* const event_class = classify(event);
  REQUIRE(event_class != nullptr);
  add_plan(event, *event_class);
  return event;
}

Event with_plan(const std::string& plan) { return with_plan(planned(plan)); }

std::string written(const Event& event) {
  std::string all;
  for (const Field& field : event.fields) all += (all.empty() ? "" : ";") + std::string(field.name) + "=" + field.value;
  return all;
}

const std::string kTop = "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n";

std::string text_of_depth(int depth) {
  std::string text = "Result  (cost=0.00..1.00 rows=1 width=4)\n";
  for (int i = 1; i <= depth; ++i) {
    text += std::string(static_cast<std::size_t>(i * 6 - 4), ' ') + "->  Result  (cost=0.00..1.00 rows=1 width=4)\n";
  }
  return text;
}

std::string json_of_depth(int depth) {
  const std::string node = R"({"Node Type":"Result","Startup Cost":0.0,"Total Cost":1.0,"Plan Rows":1,"Plan Width":4)";
  std::string text = "{\"Plan\":" + node;
  for (int i = 1; i <= depth; ++i) text += ",\"Plans\":[" + node;
  for (int i = 1; i <= depth; ++i) text += "}]";
  return text + "}}";
}

std::string error_of(const Expected<Plan>& plan) { return plan ? "" : plan.error().code; }

}  // namespace

TEST_CASE("a plan gives its nodes, its query, and what to look at first") {
  const Event event = with_plan(
      "Query Text: select *\nfrom t x where a = 'hush'\nQuery Parameters: $1 = 'hush'\n"
      "Gather  (cost=1000.00..2000.50 rows=100 width=8) (actual time=0.500..30.000 rows=10 loops=1)\n"
      "  Workers Planned: 2\n"
      "  Workers Launched: 1\n"
      "  Buffers: shared hit=3 read=4, temp written=5\n"
      "  ->  Parallel Seq Scan on shop.\"we \"\" ird\" x  (cost=0.00..7.00 rows=50 width=8) (actual time=0.250..28.000 rows=5 "
      "loops=2)\n"
      "        Filter: (a = 'hush'::text)\n"
      "        Rows Removed by Filter: 7\n"
      "Settings: work_mem = '64kB'\n");
  CHECK(event.statement == "select *\nfrom t x where a = 'hush'");
  CHECK(event.plan ==
        R"([{"depth":0,"type":"Gather","startup_cost":1000.0,"total_cost":2000.5,"plan_rows":100,"width_bytes":8,)"
        R"("actual_startup_ms":0.5,"actual_total_ms":30.0,"actual_rows":10.0,"loops":1,"workers_planned":2,"workers_launched":1,)"
        R"("shared_hit_blocks":3,"shared_read_blocks":4,"temp_written_blocks":5},)"
        R"({"depth":1,"type":"Seq Scan","schema":"shop","relation":"we \" ird","alias":"x","parallel":true,"startup_cost":0.0,)"
        R"("total_cost":7.0,"plan_rows":50,"width_bytes":8,"actual_startup_ms":0.25,"actual_total_ms":28.0,"actual_rows":5.0,)"
        R"("loops":2,"rows_removed_by_filter":7}])");
  CHECK(written(event) ==
        "nodes=2;top_node=Gather;total_cost=2000.5;slowest_node=1;slowest_node_type=Seq Scan;slowest_node_ms=28.0;"
        "misestimated_node=0;misestimate_factor=10.0");
}

TEST_CASE("the query that the log has already stays, and other classes have no plan") {
  Event event = planned("Query Text: select 2\n" + kTop);
  event.statement = "select 1";
  CHECK(with_plan(event).statement == "select 1");
  event.message = "statement: plan:\n" + kTop;
  event = with_plan(event);
  CHECK(event.plan.empty());
  CHECK(event.fields.empty());
}

TEST_CASE("the time of a node is its own, by the clock, and of all its loops") {
  const auto plan = parse_text_plan(
      "Nested Loop  (cost=0.00..1.00 rows=1 width=4) (actual time=1.000..50.000 rows=10 loops=1)\n"
      "  ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=4) (actual time=1.000..9.000 rows=10 loops=1)\n"
      "  ->  Index Scan using i on b  (cost=0.00..1.00 rows=1000 width=4) (actual time=0.100..3.000 rows=1 loops=10)\n"
      "  ->  Seq Scan on c  (cost=0.00..1.00 rows=1 width=4) (never executed)\n");
  REQUIRE(plan);
  const PlanSummary summary = summarise(plan.value().nodes);
  REQUIRE(summary.slowest);
  CHECK(summary.slowest->node == 2);
  CHECK(summary.slowest->ms == 30);
  REQUIRE(summary.misestimate);
  CHECK(summary.misestimate->node == 2);
  CHECK(summary.misestimate->factor == 1000);
  const auto without_times = parse_text_plan("Seq Scan on a  (cost=0.00..1.00 rows=5 width=4) (actual rows=10 loops=1)\n");
  REQUIRE(without_times);
  CHECK_FALSE(summarise(without_times.value().nodes).slowest);
  CHECK(summarise(without_times.value().nodes).misestimate->factor == 2);
}

TEST_CASE("where a query or a literal could pass for the plan there is none") {
  for (const std::string& text :
       {"Query Text: select '\n" + kTop + "'\n" + kTop, kTop + "  Filter: (a = 'x\n  ->  " + kTop + "'::text)\n",
        kTop + "  Filter: (a = 'x\n  Rows Removed by Filter: 5'::text)\n", kTop + "  ->  Seq Scan on t and more\n", kTop + kTop,
        std::string("Query Text: select 1\n"), std::string(""), std::string("{\"Plan\":"), std::string("{}"),
        std::string("Seq Scan on t  (cost=inf..1.00 rows=1 width=4)\n"),
        std::string("Seq Scan on \"t  (cost=0.00..1.00 rows=1 width=4)\n"), std::string(R"({"Plan":{"Node Type":"Result"}})"),
        std::string(R"({"Plan":[]})"), std::string(R"({"Plan":{"Plans":1}})")}) {
    CAPTURE(text);
    const Event event = with_plan(text);
    CHECK(event.plan.empty());
    CHECK(event.statement.empty());
    CHECK(written(event) == "plan_error=odd");
  }
  Event cut = planned(kTop);
  cut.truncated_bytes = 1;
  CHECK(written(with_plan(cut)) == "plan_error=cut");
}

TEST_CASE("a plan has at most 256 nodes and 64 levels below the top") {
  CHECK(error_of(parse_text_plan(text_of_depth(kMaxPlanDepth))).empty());
  CHECK(error_of(parse_json_plan(json_of_depth(kMaxPlanDepth))).empty());
  CHECK(error_of(parse_text_plan(text_of_depth(kMaxPlanDepth + 1))) == "plan.limit");
  CHECK(error_of(parse_json_plan(json_of_depth(kMaxPlanDepth + 1))) == "plan.limit");
  CHECK(error_of(parse_json_plan(std::string(200'000, '['))) == "plan.odd");
  std::string wide = "Append  (cost=0.00..1.00 rows=1 width=4)\n";
  for (std::size_t i = 1; i < kMaxPlanNodes; ++i) wide += "  ->  " + kTop;
  CHECK(error_of(parse_text_plan(wide)).empty());
  CHECK(error_of(parse_text_plan(wide + "  ->  " + kTop)) == "plan.limit");
}

TEST_CASE("redacted, a plan keeps its nodes and nothing of the query") {
  Event event = with_plan("Query Text: select 'hush'\nSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = 'hush')\n");
  redact(event, Redaction::kAll, true);
  const std::string json = event_json(event, 1 << 20);
  CHECK(json.find("hush") == std::string::npos);
  CHECK(json.find(R"("plan":[{"depth":0,"type":"Seq Scan")") != std::string::npos);
  CHECK(json.find(R"("statement":"[redacted]")") != std::string::npos);
}

TEST_CASE("a plan that has no room is left out") {
  const Event event = with_plan(text_of_depth(40));
  CHECK(event_json(event, 1 << 20).find("\"plan\":[") != std::string::npos);
  const std::string json = event_json(event, 2048);
  CHECK(json.size() <= 2048);
  CHECK(json.find("\"plan\":[") == std::string::npos);
}

TEST_CASE("the host takes plans and lists, and nothing private is in them") {
  Options options;
  options.redact = "all";
  LogFolder logs(options);
  logs.append("a.log",
              entry("duration: 12.5 ms  plan:\n\tQuery Text: select 'hush'\n"
                    "\tSort  (cost=1.00..2.00 rows=9 width=4) (actual time=1.000..2.000 rows=3.00 loops=1)\n"
                    "\t  Sort Key: 'hush'\n\t  Sort Method: external merge  Disk: 576kB\n"
                    "\t  Buffers: shared hit=1 read=2, temp written=3\n"
                    "\t  ->  Seq Scan on t  (cost=0.00..1.00 rows=9 width=4) (never executed)\n"
                    "\t        Filter: (a = 'hush'::text)") +
                  entry("deadlock detected", "ERROR") +
                  "2026-02-03 04:05:06.789 UTC [100] DETAIL:  Process 7 waits for ShareLock on transaction 5; blocked by "
                  "process 8.\n\tProcess 7: select 'hush'\n" +
                  entry("process 7 still waiting for ShareLock on transaction 5 after 50.1 ms") +
                  "2026-02-03 04:05:06.789 UTC [100] DETAIL:  Processes holding the lock: 8, 9. Wait queue: 7.\n");
  const auto result = logs.run();
  rapidjson::Document document;
  document.Parse(result.documents.at(0).c_str());
  const auto& events = document["events"];
  CHECK(events[0]["plan"].Size() == 2);
  CHECK(events[0]["plan"][0]["sort_space_bytes"].GetInt64() == 576 * 1024);
  CHECK(events[0]["plan"][1]["never_executed"].GetBool());
  CHECK(events[0]["fields"]["misestimate_factor"].GetDouble() == 3);
  CHECK(std::string(events[0]["statement"].GetString()) == "[redacted]");
  CHECK(events[1]["fields"]["participants"][0]["blocked_by"].GetInt64() == 8);
  CHECK(std::string(events[1]["detail"].GetString()) ==
        "Process 7 waits for ShareLock on transaction 5; blocked by process 8.\nProcess 7: [redacted]");
  CHECK(events[2]["fields"]["holders"][1].GetInt64() == 9);
  CHECK(result.documents[0].find("hush") == std::string::npos);
}

}  // namespace pganalytics::logs
