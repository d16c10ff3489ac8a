#include "core/collector/status.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;

namespace {

host::PluginHealth healthy_plugin() {
  host::PluginHealth plugin;
  plugin.plugin = "sysstat";
  plugin.state = "idle";
  plugin.runs = 4;
  plugin.failed_runs = 1;
  plugin.last_duration_ms = 7;
  plugin.max_duration_ms = 90;
  plugin.total_duration_ms = 104;
  plugin.rss_bytes = 3 << 20;
  plugin.cpu_ms = 1'500;
  plugin.pid = 42;
  return plugin;
}

Status status_with(std::vector<host::PluginHealth> plugins) {
  Status status;
  status.config.name = "db1";
  status.config.state_dir = "/state";
  status.running = 77;
  status.started = "2026-02-03T04:05:06.789Z";
  SelfReport report;
  report.plugins = std::move(plugins);
  status.report = std::move(schema::parse_json(to_document(report))).value();
  return status;
}

}  // namespace

TEST_CASE("a collector that answers and whose plugins work is healthy") {
  const Status status = status_with({healthy_plugin()});
  CHECK(exit_code_of(status) == 0);
  const std::string text = to_text(status);
  CHECK_THAT(text, Contains("running as process 77 since 2026-02-03T04:05:06.789Z"));
  CHECK_THAT(text,
             Contains("sysstat  idle") && Contains("26") && Contains("3.0 MiB") && Contains("1.5 s") && Contains("process"));
  CHECK_THAT(text, !Contains("last reported"));
}

TEST_CASE("a plugin that is quarantined is told with its time, its way out and its reason") {
  host::PluginHealth plugin = healthy_plugin();
  plugin.state = "quarantined";
  plugin.quarantined_until_unix_ns = 1'770'091'445'678'000'000;
  plugin.sandbox_gaps = {"landlock: the kernel lacks it"};
  plugin.last_error = "its worker died\x1b[2J";
  const Status status = status_with({plugin});
  CHECK(exit_code_of(status) == 1);
  const std::string text = to_text(status);
  CHECK_THAT(text, Contains("quarantined until 2026-02-03T04:04:05.678Z; `pganalytics plugin release sysstat`"));
  CHECK_THAT(text, Contains("not in force: landlock: the kernel lacks it"));
  CHECK_THAT(text, Contains("last error: its worker died\\x1b[2J"));  // a plugin does not steer a terminal

  const auto json = schema::parse_json(to_json(status));
  REQUIRE(json);
  CHECK((*json)["healthy"] == false);
  CHECK((*json)["problems"].Size() == 1);
  CHECK((*json)["live"] == true);
  CHECK((*json)["report"]["plugins"][0]["sandbox_gaps"][0] == "landlock: the kernel lacks it");
}

TEST_CASE("each state in which nothing is collected until something changes is a problem, backing off is none") {
  for (const char* const state : {"failed", "quarantined", "hung", "refused"}) {
    host::PluginHealth plugin = healthy_plugin();
    plugin.state = state;
    INFO(state);
    CHECK(exit_code_of(status_with({plugin})) == 1);
  }
  for (const char* const state : {"starting", "idle", "running", "backing_off"}) {
    host::PluginHealth plugin = healthy_plugin();
    plugin.state = state;
    INFO(state);
    CHECK(exit_code_of(status_with({plugin})) == 0);
  }
}

TEST_CASE("a plugin that failed the last time is a problem until a run succeeds") {
  host::PluginHealth plugin = healthy_plugin();
  plugin.last_error = "connection refused\nHINT: start it";
  const Status status = status_with({plugin});
  CHECK(exit_code_of(status) == 1);
  CHECK(problems_of(status) == std::vector<std::string>{"plugin sysstat failed the last time: " + plugin.last_error});
  CHECK_THAT(to_text(status), Contains("    last error: connection refused HINT: start it\n"));
}

TEST_CASE("without an answer the newest report is shown as what it is") {
  Status status = status_with({healthy_plugin()});
  status.silent = Error{PGA_E_DEADLINE, "control.silent", "it does not answer in time", "", 0};
  CHECK(exit_code_of(status) == 1);
  CHECK_THAT(to_text(status), Contains("process 77 holds the state folder, but does not answer: it does not answer in time"));
  CHECK_THAT(to_text(status), Contains("when it last reported"));
  status.running.reset();
  CHECK(exit_code_of(status) == 3);
  CHECK_THAT(to_text(status), Contains("not running"));
}

TEST_CASE("a spool that cannot be read is told, and is a problem only when nobody has it in hand") {
  Status status = status_with({healthy_plugin()});
  status.spool_unreadable = Error{PGA_E_FAIL, "spool.sqlite", "the database is locked", "", 0};
  CHECK(exit_code_of(status) == 0);
  CHECK_THAT(to_text(status), Contains("spool:     cannot be read now: the database is locked"));
  status.silent = Error{PGA_E_DEADLINE, "control.silent", "it does not answer", "", 0};
  CHECK(problems_of(status).size() == 2);
}

TEST_CASE("figures that do not exist are dashes and nulls, not zeros") {
  host::PluginHealth plugin;
  plugin.plugin = "logs";
  plugin.state = "starting";
  const auto json = schema::parse_json(to_json(status_with({plugin})));
  REQUIRE(json);
  const auto& shown = (*json)["report"]["plugins"][0];
  for (const char* const key :
       {"last_run", "last_duration_ms", "max_duration_ms", "quarantined_until", "pid", "rss_bytes", "last_error"}) {
    INFO(key);
    CHECK(shown[key].IsNull());
  }
  CHECK(shown["runs"] == 0);
}
