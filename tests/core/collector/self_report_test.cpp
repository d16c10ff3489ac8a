#include "core/collector/self_report.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("the collector's own document tells plugins, spool and losses") {
  collector::SelfReport report;
  report.unix_ns = 1'770'091'445'678'000'000;
  report.version = "0.1.0";
  host::PluginHealth health;
  health.plugin = "pg_stats";
  health.state = "idle";
  health.runs = 3;
  report.plugins = {health};
  report.spool.epoch = "00";
  report.spool.lost_documents = 7;
  report.losses = {{1, "size", "00", 1, 7, 7, report.unix_ns, report.unix_ns}};
  const auto document = schema::parse_json(to_document(report));
  REQUIRE(document);
  CHECK((*document)["type"] == "collector");
  CHECK((*document)["timestamp"] == "2026-02-03T04:04:05.678Z");
  CHECK((*document)["plugins"][0]["runs"] == 3);
  CHECK((*document)["plugins"][0]["last_run"].IsNull());
  CHECK((*document)["spool"]["lost_documents"] == 7);
  const auto& loss = (*document)["losses"][0];
  CHECK(loss["reason"] == "size");
  CHECK(loss["first_seq"] == 1);
  CHECK(loss["last_seq"] == 7);
  CHECK(loss["first_timestamp"] == "2026-02-03T04:04:05.678Z");
  CHECK((*document)["delivery"].IsNull());
}
