#include "core/collector/self_report.h"

#include "core/schema/json_text.h"
#include "core/schema/schema.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

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

TEST_CASE("the collector's own document tells what became of the batches on their way") {
  collector::SelfReport report;
  auto& delivery = report.delivery.emplace();
  delivery.live_batches = 1;
  delivery.backlog_batches = 2;
  delivery.split_batches = 3;
  delivery.rekeyed_batches = 4;
  delivery.poison_batches = 5;
  delivery.too_large_batches = 6;
  const auto document = testing::must(schema::parse_json(to_document(report)));
  const auto& told = document["delivery"];
  CHECK(told["live_batches"] == 1);
  CHECK(told["backlog_batches"] == 2);
  CHECK(told["split_batches"] == 3);
  CHECK(told["rekeyed_batches"] == 4);
  CHECK(told["poison_batches"] == 5);
  CHECK(told["too_large_batches"] == 6);
}

TEST_CASE("the collector's own document is what its schema says, full and empty") {
  const auto schema = testing::must(
      schema::Schema::parse(collector_test::read_text(PGANALYTICS_SOURCE_DIR "/core/collector/collector.schema.json"),
                            schema::Schema::Purpose::kOutput));
  collector::SelfReport report;
  report.unix_ns = 1'770'091'445'678'000'000;
  report.version = "0.1.0";
  const auto fits = [&] {
    const auto document = testing::must(schema::parse_json(to_document(report)));
    const Outcome valid = schema.validate(document);
    INFO((valid ? "" : valid.error().message));
    CHECK(valid);
  };
  fits();
  host::PluginHealth idle;
  idle.plugin = "logs";
  idle.state = "starting";
  host::PluginHealth full;
  full.plugin = "sysstat";
  full.version = "1.0.0";
  full.build_id = "abc";
  full.state = "quarantined";
  full.isolation = host::Isolation::kThread;
  full.runs = full.quarantines = 1;
  full.last_run_unix_ns = full.quarantined_until_unix_ns = report.unix_ns;
  full.pid = full.rss_bytes = full.cpu_ms = 1;
  full.sandbox_gaps = {"landlock: none"};
  full.last_error = "it died";
  report.plugins = {idle, full};
  report.losses = {{1, "size", "00", 1, 7, 7, report.unix_ns, report.unix_ns}};
  report.delivery.emplace();
  report.delivery->last_push_unix_ns = report.unix_ns;
  report.remote_version = 3;
  report.newest_config = collector::RemoteRecord::Newest{4, "\"4\"", "", "rejected", "no"};
  fits();
}
