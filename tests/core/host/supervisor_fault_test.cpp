// Bad plugins in real workers: what each costs is one run and one worker, never the others' ticks.
#include <sys/types.h>

#include <csignal>

#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

PluginSettings unruly(const std::string& what, std::int64_t interval_ms = 60'000, std::int64_t timeout_ms = 0) {
  return settings_of("test_unruly", "{\"do\":\"" + what + "\"}", interval_ms, timeout_ms);
}

// One run of the unruly plugin.
RunReport run_once(TestSink& sink, const std::string& what) {
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({unruly(what, 60'000, 10'000)});
  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  return sink.reports[0];
}

// While another plugin misbehaves: every tick of the steady one makes a run.
void check_steady(const TestSink& sink, const Supervisor& supervisor) {
  const auto reports = sink.of("test_steady");
  CHECK(health_of(supervisor, "test_steady").skipped_ticks == 0);
  CHECK(health_of(supervisor, "test_steady").restarts == 0);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    CHECK_FALSE(reports[i].failed);
    CHECK(reports[i].sequence == i + 1);
  }
}

}  // namespace

TEST_CASE("a malformed document is refused and counted, and fails its run") {
  const std::map<std::string, std::string> code_of = {
      {"malformed", "document.malformed"}, {"no object", "document.malformed"},    {"too large", "document.too_large"},
      {"wrong type", "document.type"},     {"no timestamp", "document.timestamp"}, {"bad schema", "document.schema"},
      {"unknown key", "document.schema"},  {"duplicate key", "document.malformed"}};
  for (const auto& [what, code] : code_of) {
    INFO(what);
    TestSink sink;
    Supervisor supervisor(test_options(), sink, clock::system_clock());
    supervisor.set_scheduling(false);
    supervisor.apply({unruly(what)});
    REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
    REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
    REQUIRE(sink.reports[0].failed);
    CHECK(sink.reports[0].failed->code == code);
    CHECK(sink.reports[0].documents.empty());
    // What reached the host is shown with its reason; the worker stops the others.
    const bool reached = code != "document.too_large" && what != "no object" && what != "malformed";
    for (const RefusedDocument& refused : sink.reports[0].refused) {
      CHECK(refused.why.code == code);
      CHECK_FALSE(refused.document.empty());
    }
    if (reached) CHECK(sink.reports[0].refused.size() == 1);
    const PluginHealth health = health_of(supervisor, "test_unruly");
    CHECK(health.refused_documents == 1);
    CHECK(health.failed_runs == 1);
    CHECK(health.documents == 0);
    CHECK(health.restarts == 0);
  }
}

TEST_CASE("a failed run leaves neither documents nor state") {
  TestSink sink;
  const RunReport report = run_once(sink, "fail after emitting");
  REQUIRE(report.failed);
  CHECK(report.failed->status == PGA_E_TRANSIENT);
  CHECK(report.failed->code == "target.away");
  CHECK(report.failed->message == "the target went away");
  CHECK(report.documents.empty());
  CHECK(report.state.empty());
}

TEST_CASE("a worker that ends in its run fails it and says how") {
  for (const auto& [what, how] : std::map<std::string, std::string>{{"segv", "signal 11"}, {"exit", "exited with status 3"}}) {
    INFO(what);
    TestSink sink;
    const RunReport report = run_once(sink, what);
    REQUIRE(report.failed);
    CHECK(report.failed->code == "worker.died");
    CHECK(report.failed->message.find(how) != std::string::npos);
  }
}

TEST_CASE("others lose no tick while a plugin crashes again and again") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_steady", "{}", 250), unruly("segv", 100)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").restarts >= 2; }));
  const std::size_t before = sink.good_runs("test_steady");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= before + 4; }));
  check_steady(sink, supervisor);
  CHECK(sink.of("test_unruly").size() >= 2);
  CHECK(health_of(supervisor, "test_unruly").failed_runs >= 2);
}

TEST_CASE("a worker killed from outside comes back with its state and its schedule") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_steady", "{}", 250), settings_of("test_counter", "{}", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 2; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  const std::string count = sink.state["test_counter"]["count"];
  REQUIRE(kill(static_cast<pid_t>(pid), SIGSEGV) == 0);
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 2; }));
  CHECK(health_of(supervisor, "test_counter").pid != pid);
  CHECK(health_of(supervisor, "test_counter").restarts == 1);
  CHECK(std::stoll(sink.state["test_counter"]["count"]) >= std::stoll(count) + 2);
  check_steady(sink, supervisor);
}

TEST_CASE("a plugin that hangs is killed within its deadline and two graces") {
  for (const char* how : {"hang", "abort late"}) {
    INFO(how);
    TestSink sink;
    Supervisor supervisor(test_options(), sink, clock::system_clock());
    supervisor.apply({settings_of("test_steady", "{}", 250), unruly(how, 60'000, 400)});
    REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "running"; }));
    const std::int64_t began_ns = clock::now_monotonic_ns();
    const std::int64_t pid = health_of(supervisor, "test_unruly").pid;
    REQUIRE(turn_until(supervisor, [&] { return !sink.of("test_unruly").empty(); }));
    const std::int64_t took_ms = (clock::now_monotonic_ns() - began_ns) / 1'000'000;
    CHECK(took_ms >= 400);
    CHECK(took_ms < 400 + 2 * 300 + 500);  // the last: a busy machine
    CHECK_FALSE(is_running(pid));
    const RunReport report = sink.of("test_unruly")[0];
    REQUIRE(report.failed);
    CHECK(report.failed->code == "worker.hung");
    CHECK(report.failed->status == PGA_E_DEADLINE);
    CHECK(health_of(supervisor, "test_unruly").kills == 1);
    CHECK(health_of(supervisor, "test_unruly").restarts == 1);
    check_steady(sink, supervisor);
  }
}

TEST_CASE("a plugin that minds the cancel keeps its worker") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({unruly("wait", 300, 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.reports.size() >= 2; }));
  for (const RunReport& report : sink.reports) {
    REQUIRE(report.failed);
    CHECK(report.failed->status == PGA_E_DEADLINE);
    CHECK(report.duration_ms >= 100);
  }
  CHECK(health_of(supervisor, "test_unruly").kills == 0);
  CHECK(health_of(supervisor, "test_unruly").restarts == 0);
}

TEST_CASE("ticks that come while a run is going on are skipped and counted") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({unruly("wait", 100, 550)});
  REQUIRE(turn_until(supervisor, [&] { return sink.reports.size() == 1; }));
  const std::uint64_t skipped = health_of(supervisor, "test_unruly").skipped_ticks;
  CHECK(skipped >= 4);
  CHECK(skipped <= 7);
}

TEST_CASE("after a fatal status the same process makes another instance") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({unruly("fatal", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_unruly") >= 1; }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->status == PGA_E_FATAL);
  CHECK(health_of(supervisor, "test_unruly").restarts == 0);
}

TEST_CASE("a plugin that fails again and again is let alone for longer and longer") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_steady", "{}", 50), unruly("bad schema", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= 40; }));
  const std::size_t tries = sink.of("test_unruly").size();
  CHECK(tries >= 3);
  CHECK(tries <= 12);
}

TEST_CASE("a worker that no longer answers is killed and started again, one that works on is not") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.quiet_ms = 300;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 3'600'000), unruly("wait", 3'600'000)});
  REQUIRE(turn_until(supervisor, [&] {
    return sink.good_runs("test_counter") == 1 && health_of(supervisor, "test_unruly").state == "running";
  }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  REQUIRE(kill(static_cast<pid_t>(pid), SIGSTOP) == 0);
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_counter").restarts == 1; }));
  CHECK_FALSE(is_running(pid));
  CHECK(health_of(supervisor, "test_counter").kills == 1);
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_counter").pid > 0; }));
  CHECK(health_of(supervisor, "test_unruly").state == "running");  // its reading thread answered all the while
  CHECK(health_of(supervisor, "test_unruly").restarts == 0);
}

TEST_CASE("a missing worker program is an error of the plugin, not of the host") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.worker_path = "/nonexistent/pganalytics-worker";
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({unruly("good")});
  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->message.find("/nonexistent/pganalytics-worker") != std::string::npos);
}
