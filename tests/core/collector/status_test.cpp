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

TEST_CASE("each instance of a plugin has a line of its own, as wide as its name") {
  host::PluginHealth dead = healthy_plugin();
  dead.plugin = "pg_stats@" + std::string(32, 'a');
  dead.last_error = "the server does not answer";
  const Status status = status_with({healthy_plugin(), dead});
  const std::string text = to_text(status);
  CHECK_THAT(text, Contains("\n" + dead.plugin + "  idle") && Contains("\nsysstat" + std::string(36, ' ') + "idle"));
  REQUIRE(problems_of(status).size() == 1);
  CHECK(problems_of(status)[0] == "plugin " + dead.plugin + " failed the last time: the server does not answer");
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

TEST_CASE("a spool that is in memory only is shown, and is a problem") {
  Status status = status_with({healthy_plugin()});
  SelfReport report;
  report.plugins = {healthy_plugin()};
  report.spool.mode = "memory";
  report.spool.mode_reason = "disk full";
  report.spool.memory_documents = 7;
  status.report = std::move(schema::parse_json(to_document(report))).value();
  CHECK(exit_code_of(status) == 1);
  CHECK_THAT(to_text(status), Contains("memory:    disk full; 7 documents would be lost with the process"));
  status.silent = Error{PGA_E_FAIL, "x", "nobody", "", 0};  // what the last one said of its memory went with it
  CHECK_THAT(to_text(status), !Contains("memory:"));
}

TEST_CASE("what waits for the server, why, and a clock that differs are shown") {
  Status status = status_with({healthy_plugin()});
  SelfReport report;
  report.delivery.emplace();
  report.delivery->breaker = "open";
  report.delivery->reason = "connection refused";
  report.delivery->held_batches = 2;
  report.delivery->next_try_unix_ns = 1'770'091'445'678'000'000;
  report.delivery->clock_offset_ms = -61'000;
  status.report = std::move(schema::parse_json(to_document(report))).value();
  CHECK_THAT(to_text(status),
             Contains("waits:     connection refused, next try 2026-02-03T04:04:05.678Z, breaker open, 2 batches held") &&
                 Contains("clock:     the server's is -61.0 s ahead"));
  report.delivery->next_try_unix_ns = INT64_MAX;  // not before the server takes this collector again
  report.delivery->clock_offset_ms = 40;
  status.report = std::move(schema::parse_json(to_document(report))).value();
  CHECK_THAT(to_text(status), Contains("waits:     connection refused, breaker open") && !Contains("clock:"));
}

TEST_CASE("the configuration in force and what became of the newest one are shown") {
  Status status = status_with({});
  CHECK_THAT(to_text(status), Contains("config:    the local one\n") && Contains("backup:    none"));
  SelfReport report;
  report.remote_version = 7;
  report.newest_config = RemoteRecord::Newest{7, "", "", "probation", ""};
  status.report = std::move(schema::parse_json(to_document(report))).value();
  CHECK_THAT(to_text(status), Contains("config:    version 7 of the server over the local one, on trial\n"));
  report.newest_config = RemoteRecord::Newest{8, "", "", "rejected", "plugin disk: no"};
  status.report = std::move(schema::parse_json(to_document(report))).value();
  status.backup = "/state/backup/spool-1.db";
  CHECK_THAT(to_text(status), Contains("config:    version 7 of the server over the local one\n") &&
                                  Contains("config:    version 8 was rejected: plugin disk: no\n") &&
                                  Contains("backup:    /state/backup/spool-1.db"));
}
