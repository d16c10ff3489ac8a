// Plans that real servers log, in both formats: the same nodes.
#include "plugins/logs/plans/plan.h"
#include "tests/plugins/logs/server_log.h"
#include "tests/support/catch.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <set>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

const testing::PostgresServer::Settings kSettings = {{"log_line_prefix", kServerPrefix},
                                                     {"shared_preload_libraries", "auto_explain"},
                                                     {"auto_explain.log_analyze", "on"},
                                                     {"auto_explain.log_buffers", "on"},
                                                     {"auto_explain.log_nested_statements", "on"},
                                                     {"autovacuum", "off"},
                                                     {"jit", "off"},
                                                     {"work_mem", "64kB"}};

constexpr const char* kTables =
    "create schema shop; create table shop.t(id int primary key, b int, txt text); create index t_b on shop.t(b); "
    "insert into shop.t select g, g % 100, 'hush ' || g from generate_series(1, 20000) g; "
    "create table shop.\"we \"\" ird\"(id int); insert into shop.\"we \"\" ird\" select generate_series(1, 100); "
    "create table shop.part(a int, v text) partition by range (a); "
    "create table shop.part1 partition of shop.part for values from (0) to (100); "
    "create table shop.part2 partition of shop.part for values from (100) to (200); "
    "insert into shop.part select g, 'hush' from generate_series(0, 199) g; "
    "create function shop.nested() returns bigint language plpgsql as 'begin return (select count(*) from shop.t where id < 10); "
    "end'; analyze";

struct Query {
  const char* sql;
  bool repeats = true;  // each run does the same work: blocks and sorting are the same too
};

constexpr Query kQueries[] = {
    {"select * from shop.t where txt = 'hush 7'"},
    {"select * from shop.t where txt = 'hush\n  ->  Seq Scan on hush  (cost=0.00..1.00 rows=1 width=1)\n'"},
    {"select * from shop.t where id = 77"},
    {"select * from shop.t order by id desc limit 3"},
    {"select id from shop.t where id < 50"},
    {"select * from shop.t where b = 7"},
    {"select * from shop.t x join shop.\"we \"\" ird\" y on x.id = y.id where y.id < 10"},
    {"select count(*) from shop.t x join shop.t y on x.id = y.b"},
    {"select count(*) from shop.t x left join shop.t y on x.id = y.b"},
    {"select b, count(*) from shop.t group by b order by 2"},
    {"select txt, id, count(*) from shop.t group by grouping sets (txt, id)"},
    {"select * from shop.t order by txt"},
    {"with c as materialized (select b, count(*) n from shop.t group by b) select * from c where n > (select avg(n) from c)"},
    {"select id, (select max(b) from shop.t u where u.id = t.id) from shop.t t where id < 5"},
    {"select * from shop.t where id in (select id from shop.\"we \"\" ird\") limit 5"},
    {"select * from shop.part where v = 'hush' order by a"},
    {"select * from shop.t where false"},
    {"select * from shop.t where id = -1 and b in (select b from shop.t)"},
    {"select * from generate_series(1, 10) g, (values (1, 'hush'), (2, 'x')) v(a, b)"},
    {"select * from rows from (generate_series(1, 2), generate_series(1, 3)) r"},
    {"select * from (select b, row_number() over (order by id) n from shop.t limit 50) s where n < 3"},
    {"select b from shop.t where id < 50 except all select id from shop.\"we \"\" ird\""},
    {"select b from shop.t except select id from shop.\"we \"\" ird\""},
    {"with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r"},
    {"select shop.nested()"},
    {"select * from shop.t where ctid = '(0,1)'"},
    {"select * from shop.t tablesample system(1) repeatable (1)"},
    {"select count(*) from shop.t where txt like '%hush%' /* in parallel */", false},
    {"insert into shop.t values (30001, 1, 'hush') on conflict (id) do update set txt = 'hush2'", false},
    {"update shop.t set b = b + 1 where id = 5", false},
    {"update shop.part set v = 'hush2' where a in (5, 105)", false},
    {"delete from shop.t where id = 30001", false},
    {"select * from shop.t for update limit 1", false},
};

void remove(rapidjson::Value& node, const char* name) {
  if (node.HasMember(name)) node.RemoveMember(name);
}

// Without what differs from run to run.
std::string comparable(const std::string& plan, bool repeats) {
  rapidjson::Document document;
  document.Parse(plan.c_str());
  for (auto& node : document.GetArray()) {
    for (const char* time : {"actual_startup_ms", "actual_total_ms"}) remove(node, time);
    if (repeats) continue;
    for (const PlanBlocks& blocks : plan_block_counts()) remove(node, std::string(blocks.key).c_str());
    for (const char* name : {"sort_method", "sort_space_type", "sort_space_bytes", "heap_fetches"}) remove(node, name);
  }
  rapidjson::StringBuffer json;
  rapidjson::Writer<rapidjson::StringBuffer> writer(json);
  document.Accept(writer);
  return json.GetString();
}

std::vector<Event> plans_of(const std::vector<Event>& events) {
  std::vector<Event> plans;
  for (const Event& event : events) {
    if (event.class_name == "statement.plan") plans.push_back(event);
  }
  return plans;
}

// What all plans together have to show, as parts of their JSON.
constexpr const char* kShown[] = {
    R"("type":"Seq Scan","relation":"t")",
    R"("relation":"we \" ird")",
    R"("type":"Index Scan","relation":"t","index":"t_pkey")",
    R"("backward":true)",
    R"("type":"Index Only Scan")",
    R"("heap_fetches":)",
    R"("type":"Bitmap Heap Scan")",
    R"("type":"Bitmap Index Scan","index":"t_b")",
    R"("type":"Nested Loop","join_type":)",
    R"("join_type":"Semi")",
    R"("type":"Hash Join")",
    R"("type":"Aggregate","strategy":"Plain")",
    R"("type":"Aggregate","strategy":"Hashed")",
    R"("partial_mode":"Finalize")",
    R"("type":"Gather")",
    R"("workers_launched":)",
    R"("parallel":true)",
    R"("sort_method":"external merge","sort_space_type":"Disk")",
    R"("temp_written_blocks":)",
    R"("subplan":"CTE c")",
    R"("subplan":"InitPlan )",
    R"("subplan":"SubPlan 1)",
    R"("type":"CTE Scan","relation":"c")",
    R"("type":"Function Scan","relation":"generate_series","alias":"g")",
    R"("type":"Values Scan","relation":"*VALUES*")",
    R"("type":"WorkTable Scan","relation":"r")",
    R"("type":"SetOp","strategy":)",
    R"("type":"Append")",
    R"("relation":"part1","alias":"part_1")",
    R"("type":"ModifyTable","operation":"Insert","relation":"t")",
    R"("type":"ModifyTable","operation":"Update")",
    R"("type":"ModifyTable","operation":"Delete")",
    R"("never_executed":true)",
    R"("rows_removed_by_filter":19999)",
    R"("shared_hit_blocks":)",
    R"("depth":3)",
};

}  // namespace

TEST_CASE("a plan is the same nodes in auto_explain's text and json formats") {
  const bool verbose = GENERATE(false, true);
  CAPTURE(verbose);
  testing::PostgresServer server(kSettings);
  LoggedSession session(server);
  session.run(kTables);
  session.run(std::string("set auto_explain.log_verbose = ") + (verbose ? "on" : "off"));
  const auto run = [&](const Query& query, const std::string& format) {
    session.run("set auto_explain.log_format = '" + format + "'");
    session.run("set auto_explain.log_min_duration = 0");
    session.run(query.sql);
    session.run("set auto_explain.log_min_duration = -1");
  };
  std::string all;
  for (const Query& query : kQueries) {
    CAPTURE(query.sql);
    const bool parallel = std::string(query.sql).find("in parallel") != std::string::npos;
    session.run("set max_parallel_workers_per_gather = " + std::string(parallel ? "2" : "0"));
    session.run("set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0");
    session.run(query.sql);
    const std::size_t before = plans_of(events_of(server)).size();
    run(query, "json");
    const std::size_t each = plans_of(events_of(server)).size() - before;  // with nested statements more than one
    run(query, "text");
    const auto plans = plans_of(events_of(server));
    REQUIRE(each > 0);
    REQUIRE(plans.size() == before + 2 * each);
    for (std::size_t i = before; i < before + each; ++i) {
      const Event& json = plans[i];
      const Event& text = plans[i + each];
      all += json.plan;
      CHECK(json.plan.find("hush") == std::string::npos);
      CHECK(field(json, "plan_error").empty());
      if (std::string(query.sql).find('\n') != std::string::npos) {  // a literal that looks like a node: no text plan, no guess
        CHECK(field(text, "plan_error") == "odd");
        CHECK(text.plan.empty());
        continue;
      }
      INFO(text.message);
      CHECK(field(text, "plan_error").empty());
      CHECK(json.statement == text.statement);
      CHECK(comparable(json.plan, query.repeats) == comparable(text.plan, query.repeats));
      for (const char* name : {"nodes", "top_node", "total_cost", "misestimate_factor", "misestimated_node"}) {
        CHECK(field(json, name) == field(text, name));
        CHECK_FALSE(field(json, name).empty());
      }
      CHECK_FALSE(field(text, "slowest_node_ms").empty());
    }
    CHECK(plans[before + each - 1].statement == query.sql);
  }
  for (const char* shown : kShown) {
    CAPTURE(shown);
    CHECK((verbose || all.find(shown) != std::string::npos));
  }
  CHECK((all.find(R"("schema":"shop")") != std::string::npos) == verbose);
}

TEST_CASE("without ANALYZE a plan has costs and nothing measured") {
  testing::PostgresServer server(kSettings);
  LoggedSession session(server);
  session.run("set auto_explain.log_analyze = off; create table t(a int)");
  for (const char* format : {"text", "json", "xml", "yaml"}) {
    session.run(std::string("set auto_explain.log_format = '") + format + "'; set auto_explain.log_min_duration = 0");
    session.run("select * from t where a = 1");
    session.run("set auto_explain.log_min_duration = -1");
  }
  const auto plans = plans_of(events_of(server));
  REQUIRE(plans.size() == 4);
  CHECK(plans[0].plan.find(R"([{"depth":0,"type":"Seq Scan","relation":"t","startup_cost":0.0,"total_cost":)") == 0);
  CHECK(plans[0].plan.find("actual") == std::string::npos);
  CHECK(plans[0].plan == plans[1].plan);
  CHECK(field(plans[0], "slowest_node").empty());
  CHECK(field(plans[2], "plan_error") == "odd");
  CHECK(field(plans[3], "plan_error") == "odd");
}

}  // namespace pganalytics::logs
