// Plugins that take too much of the machine, with real workers: each is killed, and told by which ceiling.
#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr const char* kId = "test_unruly";

SupervisorOptions quick_options() {
  SupervisorOptions options = test_options();
  options.sample_ms = 100;
  options.cpu_window_ms = 1000;
  return options;
}

PluginSettings taking(const std::string& what) { return settings_of(kId, "{\"do\":\"" + what + "\"}", 60'000); }

}  // namespace

TEST_CASE("a plugin over its memory is killed, and the ceiling is named") {
  TestSink sink;
  Supervisor supervisor(quick_options(), sink, clock::system_clock());
  PluginSettings settings = taking("take shared memory");  // 64 MiB that RLIMIT_DATA does not see
  settings.confinement.memory_max_bytes = 32 << 20;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->code == "worker.memory");
  CHECK(sink.reports[0].failed->message.find("its ceiling is 32 MiB") != std::string::npos);
  const PluginHealth health = health_of(supervisor, kId);
  CHECK(health.faults == 1);
  CHECK(health.kills == 1);
  CHECK(health.rss_bytes == 0);
  CHECK(health.last_error == sink.reports[0].failed->message);
}

TEST_CASE("what a plugin's programs hold counts against its memory") {
  TestSink sink;
  Supervisor supervisor(quick_options(), sink, clock::system_clock());
  PluginSettings settings = taking("let a child take memory");
  settings.info.needs |= PGA_NEED_EXEC;
  settings.confinement.allow_exec = true;
  settings.confinement.memory_max_bytes = 32 << 20;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->code == "worker.memory");
}

TEST_CASE("a plugin over its processor time is killed, and the ceiling is named") {
  TestSink sink;
  Supervisor supervisor(quick_options(), sink, clock::system_clock());
  PluginSettings settings = taking("spin");
  settings.confinement.cpu_max_percent = 5;  // what a busy machine leaves it all the same
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->code == "worker.cpu");
  CHECK(sink.reports[0].failed->message.find("its ceiling is 5 %") != std::string::npos);
  CHECK(health_of(supervisor, kId).cpu_ms >= 50);
}

TEST_CASE("memory and processor time of a worker are seen, the latter over all its workers") {
  TestSink sink;
  SupervisorOptions options = quick_options();
  Supervisor supervisor(options, sink, clock::system_clock());
  PluginSettings settings = taking("spin a little");  // 100 ms in each run
  settings.interval_ms = settings.timeout_ms = 1000;  // a busy machine takes several times the 100 ms
  settings.confinement.cpu_max_percent = 0;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, kId).cpu_ms >= 200; }));
  CHECK(health_of(supervisor, kId).rss_bytes > 256 * 1024);
  CHECK(health_of(supervisor, kId).rss_bytes < (64 << 20));
  settings.info = another_build_of(kId);  // another worker
  const std::int64_t before_pid = health_of(supervisor, kId).pid, before_ms = health_of(supervisor, kId).cpu_ms;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] {
    const std::int64_t pid = health_of(supervisor, kId).pid;
    return pid != 0 && pid != before_pid;
  }));
  CHECK(health_of(supervisor, kId).cpu_ms >= before_ms);
  CHECK(health_of(supervisor, kId).faults == 0);
}
