// Real workers, well-behaved plugins: runs, documents, state, services, the end.
#include "core/host/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("a plugin runs at its interval and its documents arrive") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 3; }));
  const auto reports = sink.of("test_counter");
  CHECK(reports[0].reason == PGA_REASON_SCHEDULE);
  CHECK(reports[0].sequence == 1);
  CHECK(reports[2].sequence == 3);
  REQUIRE(reports[2].documents.size() == 1);
  CHECK(number_in(reports[2].documents[0], "count") == 3);
  CHECK(reports[2].state == std::map<std::string, std::optional<std::string>>{{"count", "3"}});
  const PluginHealth health = health_of(supervisor, "test_counter");
  CHECK(health.runs >= 3);
  CHECK(health.documents >= 3);
  CHECK(health.failed_runs == 0);
  CHECK(health.pid > 0);
}

TEST_CASE("a worker has the promised command line and a clean environment") {
  setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  setenv("PGA_TEST_CANARY", "1", 1);
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("PGA_TEST_CANARY");
  const std::string proc = "/proc/" + std::to_string(health_of(supervisor, "test_counter").pid);
  CHECK(file_text(proc + "/cmdline") == std::string("pganalytics-worker\0test_counter\0", 32));
  const std::string environment = file_text(proc + "/environ");
  CHECK(environment.find("LD_") == std::string::npos);
  CHECK(environment.find("CANARY") == std::string::npos);
}

TEST_CASE("committed state reaches the worker, also the next one") {
  TestSink sink;
  sink.state["test_counter"]["count"] = "41";
  for (const std::int64_t expected : {42, 43}) {
    Supervisor supervisor(test_options(), sink, clock::system_clock());
    supervisor.set_scheduling(false);
    supervisor.apply({settings_of("test_counter", "{}", 60'000)});
    REQUIRE(supervisor.request_run("test_counter", PGA_REASON_ONDEMAND));
    const std::size_t before = sink.reports.size();
    REQUIRE(turn_until(supervisor, [&] { return sink.reports.size() > before; }));
    CHECK(sink.reports.back().reason == PGA_REASON_ONDEMAND);
    CHECK(sink.state["test_counter"]["count"] == std::to_string(expected));
    supervisor.stop(5000);
  }
}

TEST_CASE("state of a run that could not be kept is dropped in the worker too") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({settings_of("test_counter", "{}", 60'000)});
  const auto run = [&] {
    REQUIRE(supervisor.request_run("test_counter", PGA_REASON_ONDEMAND));
    const std::uint64_t before = health_of(supervisor, "test_counter").runs;
    REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_counter").runs > before; }));
  };
  run();
  sink.refuse = true;
  run();
  CHECK(health_of(supervisor, "test_counter").failed_runs == 1);
  sink.refuse = false;
  run();
  REQUIRE(sink.reports.size() == 2);
  CHECK(number_in(sink.reports[1].documents.at(0), "count") == 2);
  CHECK(sink.reports[1].sequence == 3);
}

TEST_CASE("secrets and facts come from the collector, and only the named ones") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({settings_of("test_unruly", R"({"do":"knows"})", 60'000)});
  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE_FALSE(sink.reports[0].failed);
  CHECK(sink.reports[0].documents.at(0).find(R"("text":"hunter2 db1 ")") != std::string::npos);
}

TEST_CASE("many documents of one run arrive whole and in order") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({settings_of("test_unruly", R"({"do":"many"})", 60'000)});
  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  CHECK(sink.reports[0].documents.size() == 2000);
}

TEST_CASE("a run of an unknown plugin is not found") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  const auto outcome = supervisor.request_run("nobody", PGA_REASON_ONDEMAND);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().status == PGA_E_NOTFOUND);
}

TEST_CASE("stop ends workers in order and cancels what runs") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 50), settings_of("test_unruly", R"({"do":"wait"})", 60'000)});
  REQUIRE(turn_until(supervisor, [&] {
    return sink.good_runs("test_counter") >= 1 && health_of(supervisor, "test_unruly").state == "running";
  }));
  const std::int64_t counter = health_of(supervisor, "test_counter").pid, waiting = health_of(supervisor, "test_unruly").pid;
  const std::int64_t before_ns = clock::now_monotonic_ns();
  supervisor.stop(10'000);
  CHECK(clock::now_monotonic_ns() - before_ns < 5'000'000'000);
  CHECK(supervisor.health().empty());
  CHECK_FALSE(is_running(counter));
  CHECK_FALSE(is_running(waiting));
  const auto reports = sink.of("test_unruly");
  REQUIRE(reports.size() == 1);
  REQUIRE(reports[0].failed);
  CHECK(reports[0].failed->status == PGA_E_DEADLINE);
}

TEST_CASE("stop kills what does not end within its time") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.grace_ms = 60'000;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({settings_of("test_unruly", R"({"do":"hang"})", 60'000)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "running"; }));
  const std::int64_t pid = health_of(supervisor, "test_unruly").pid;
  supervisor.stop(300);
  CHECK_FALSE(is_running(pid));
}

TEST_CASE("a plugin that is no longer wanted is stopped, and can come back") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  const PluginSettings settings = settings_of("test_counter", "{}", 60'000);
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_counter").state == "idle"; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  supervisor.apply({});
  supervisor.apply({settings});  // before the worker is gone: never two at a time
  REQUIRE(supervisor.request_run("test_counter", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") == 1; }));
  CHECK_FALSE(is_running(pid));
  CHECK(health_of(supervisor, "test_counter").restarts == 0);
  supervisor.apply({});
  CHECK(turn_until(supervisor, [&] { return supervisor.health().empty(); }));
}

TEST_CASE("workers do not outlive a host that is killed") {
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  info_of("test_counter");
  const pid_t host = fork();
  if (host == 0) {
    TestSink sink;
    Supervisor supervisor(test_options(), sink, clock::system_clock());
    supervisor.apply({settings_of("test_counter", "{}", 50)});
    while (sink.good_runs("test_counter") == 0) supervisor.turn(50);
    const std::int64_t pid = health_of(supervisor, "test_counter").pid;
    if (write(pipes[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    for (;;) pause();
  }
  std::int64_t worker = 0;
  REQUIRE(read(pipes[0], &worker, sizeof worker) == sizeof worker);
  close(pipes[0]);
  close(pipes[1]);
  CHECK(is_running(worker));
  REQUIRE(kill(host, SIGKILL) == 0);
  REQUIRE(waitpid(host, nullptr, 0) == host);
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + 10'000'000'000;
  while (is_running(worker) && clock::now_monotonic_ns() < deadline_ns) usleep(1000);
  CHECK_FALSE(is_running(worker));
}
