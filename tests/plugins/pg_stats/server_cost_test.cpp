// What reading costs the server itself: measured by the server, told in `readings`, at most one family in a run.
#include "plugins/pg_stats/server_cost.h"

#include <pganalytics/plugin.h>
#include <rapidjson/document.h>

#include <pganalytics/testhost.hpp>

#include "tests/plugins/alone.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using pg_stats::parse_plan;
using std::chrono::seconds;

TEST_CASE("a plan's cost is that of planning and execution together") {
  const auto cost = testing::must(parse_plan(R"([{"Plan":{"Node Type":"Aggregate","Shared Hit Blocks":7,"Shared Read Blocks":2,
    "Temp Written Blocks":3,"Plans":[{"Shared Hit Blocks":6}]},
    "Planning":{"Shared Hit Blocks":10,"Shared Read Blocks":1},"Planning Time":0.5,"Execution Time":1.25}])"));
  CHECK(cost.ms == Approx(1.75));
  CHECK(cost.blocks_hit == 17);
  CHECK(cost.blocks_read == 3);
  CHECK(cost.temp_blocks == 3);
}

TEST_CASE("what is no plan is an error") {
  const std::string deep(100'000, '[');
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string("[{}]"), std::string(R"([{"Plan":1}])"),
        std::string(R"([{"Plan":{}},{"Plan":{}}])"), std::string(R"([{"Plan":{})"), deep}) {
    const auto cost = parse_plan(text);
    REQUIRE_FALSE(cost);
    CHECK(cost.error().code == "pg.plan");
  }
  CHECK(testing::must(parse_plan(R"([{"Plan":{"Shared Hit Blocks":"many"},"Planning":7}])")).blocks_hit == 0);
}

TEST_CASE("each run measures one family more, from the second on; none writes temporary files") {
  const testing::PostgresServer server(testing::PostgresServer::Settings{{"shared_preload_libraries", "pg_stat_statements"}});
  server.sql(
      "postgres",
      "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE EXTENSION pg_stat_statements; CREATE TABLE t (i int PRIMARY KEY)");
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(testing::with_defaults(R"({"conninfo":")" + server.conninfo("postgres", "monitor") + "\"}")));
  std::size_t families = 0, measured = 0;
  const auto run = [&] {
    const auto document = testing::only_document(instance.collect({seconds(30), 0, PGA_REASON_ONDEMAND}));
    for (const auto& error : document["errors"].GetArray()) FAIL_CHECK(error["message"].GetString());
    families = measured = 0;
    for (const auto& reading : document["readings"].GetArray()) {
      families += reading["state"] == "read" ? 1 : 0;
      if (!reading.HasMember("server_ms")) continue;
      INFO(reading["family"].GetString());
      ++measured;
      CHECK(reading["server_ms"].GetDouble() > 0);
      CHECK(reading["temp_blocks"] == 0);
      if (std::string(reading["family"].GetString()) == "tables") CHECK(reading["blocks_hit"].GetInt64() > 0);
    }
  };
  run();
  CHECK(measured == 0);
  for (std::size_t i = 1; i <= 35; ++i) {
    run();
    CHECK(measured <= i);
    if (i == 1) CHECK(measured == 1);
  }
  CHECK(measured >= 28);
  CHECK(measured + 1 >= families);  // all but the server itself
}
