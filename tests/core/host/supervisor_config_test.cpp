// Configuration and intervals of running plugins, changed live.
#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

#include <cstdlib>

using namespace pganalytics;
using namespace pganalytics::host;

TEST_CASE("another interval takes effect at once, in the same worker") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 3'600'000)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") == 1; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  supervisor.apply({settings_of("test_counter", "{}", 200)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 5; }));
  CHECK(health_of(supervisor, "test_counter").pid == pid);
  CHECK(health_of(supervisor, "test_counter").skipped_ticks == 0);
  CHECK(sink.of("test_counter")[4].sequence == 5);
}

TEST_CASE("another configuration is applied between runs without losing a tick") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", R"({"step":1})", 200)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  supervisor.apply({settings_of("test_counter", R"({"step":1000})", 200)});
  REQUIRE(turn_until(supervisor, [&] { return std::stoll(sink.state["test_counter"]["count"]) > 3000; }));
  CHECK(health_of(supervisor, "test_counter").pid == pid);
  CHECK(health_of(supervisor, "test_counter").skipped_ticks == 0);
}

TEST_CASE("a refused change leaves the configuration before in force") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", R"({"step":10})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  supervisor.apply({settings_of("test_counter", R"({"step":1000,"bad":1})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return !health_of(supervisor, "test_counter").last_error.empty(); }));
  CHECK(health_of(supervisor, "test_counter").last_error.find("'bad'") != std::string::npos);
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 2; }));
  CHECK(std::stoll(sink.state["test_counter"]["count"]) < 1000);
  supervisor.apply({settings_of("test_counter", R"({"step":5000})", 100)});
  CHECK(turn_until(supervisor, [&] { return std::stoll(sink.state["test_counter"]["count"]) > 5000; }));
}

TEST_CASE("a configuration that is refused from the start fails the plugin until there is another") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_unruly", R"({"do":"refuse"})", 50)});
  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->status == PGA_E_CONFIG);
  CHECK(sink.reports[0].failed->message.find("refused as told") != std::string::npos);
  CHECK(health_of(supervisor, "test_unruly").state == "failed");
  CHECK(health_of(supervisor, "test_unruly").restarts == 0);
  supervisor.apply({settings_of("test_unruly", R"({"do":"good"})", 50)});
  CHECK(turn_until(supervisor, [&] { return sink.good_runs("test_unruly") >= 1; }));
  CHECK(health_of(supervisor, "test_unruly").state != "failed");
}

TEST_CASE("a run that calls the configuration wrong is not repeated until there is another") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_unruly", R"({"do":"refuse the run"})", 50), settings_of("test_counter", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "failed"; }));
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 5; }));
  CHECK(sink.of("test_unruly").size() == 1);
  supervisor.apply({settings_of("test_unruly", R"({"do":"good"})", 50), settings_of("test_counter", "{}", 50)});
  CHECK(turn_until(supervisor, [&] { return sink.good_runs("test_unruly") >= 1; }));
}

TEST_CASE("a configuration that needs another worker loses no tick") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  PluginSettings settings = settings_of("test_counter", R"({"step":1})", 150);
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 2; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  settings.config_json = R"({"step":1000})";
  settings.confinement.memory_max_bytes += 1 << 20;  // a limit that only a new process takes
  supervisor.apply({settings});
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 4; }));
  const PluginHealth health = health_of(supervisor, "test_counter");
  CHECK(health.pid != pid);
  CHECK(health.restarts == 0);
  CHECK(health.skipped_ticks == 0);
  CHECK(health.failed_runs == 0);
  CHECK(std::stoll(sink.state["test_counter"]["count"]) > 1000);
}

TEST_CASE("a configuration that needs another worker and is refused there gives way to the one before") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  PluginSettings settings = settings_of("test_counter", R"({"step":10})", 150);
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  settings.config_json = R"({"step":1000,"bad":1})";
  settings.confinement.memory_max_bytes += 1 << 20;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor,
                     [&] { return health_of(supervisor, "test_counter").last_error.find("'bad'") != std::string::npos; }));
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 3; }));
  CHECK(std::stoll(sink.state["test_counter"]["count"]) < 1000);
  CHECK(health_of(supervisor, "test_counter").faults == 0);
  settings.config_json = R"({"step":5000})";
  supervisor.apply({settings});
  CHECK(turn_until(supervisor, [&] { return std::stoll(sink.state["test_counter"]["count"]) > 5000; }));
}

TEST_CASE("a rehearsal asks a running plugin and changes nothing") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", R"({"step":1})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;

  supervisor.rehearse({settings_of("test_counter", R"({"step":1000,"bad":1})", 100)});
  CHECK_FALSE(supervisor.rehearsal());
  REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
  REQUIRE(supervisor.rehearsal()->count("test_counter") == 1);
  CHECK(supervisor.rehearsal()->at("test_counter").message == "key 'bad' is not wanted");

  supervisor.rehearse({settings_of("test_counter", R"({"step":1000})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
  CHECK(supervisor.rehearsal()->empty());
  const std::size_t before = sink.good_runs("test_counter");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 3; }));
  CHECK(std::stoll(sink.state["test_counter"]["count"]) == static_cast<std::int64_t>(sink.good_runs("test_counter")));
  const PluginHealth health = health_of(supervisor, "test_counter");
  CHECK(health.pid == pid);
  CHECK(health.skipped_ticks == 0);
  CHECK(health.last_error.empty());
  CHECK_FALSE(health.config_refused);
}

TEST_CASE("only who runs and would get something else is asked") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_unruly", R"({"do":"refuse"})", 100), settings_of("test_counter", "{}", 100)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "failed"; }));
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  // The same, one that failed, one that is not there: nobody to ask.
  supervisor.rehearse({settings_of("test_counter", "{}", 5'000), settings_of("test_unruly", R"({"do":"good"})", 100),
                       settings_of("test_steady", R"({"bad":1})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
  CHECK(supervisor.rehearsal()->empty());
}

TEST_CASE("a worker that dies or hangs over a rehearsal is replaced, and the plugin is not blamed") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.rehearsal_ms = 200;
  options.grace_ms = 200;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({settings_of("test_unruly", R"({"do":"good"})", 100)});
  for (const char* const how : {"die in the dry run", "hang in the dry run"}) {
    CAPTURE(how);
    const std::size_t before = sink.good_runs("test_unruly");
    REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_unruly") >= before + 2; }));
    supervisor.rehearse({settings_of("test_unruly", R"({"do":")" + std::string(how) + "\"}", 100)});
    REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
    CHECK(supervisor.rehearsal()->count("test_unruly") == 1);
    const std::size_t after = sink.good_runs("test_unruly");
    REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_unruly") >= after + 2; }));
  }
  CHECK(health_of(supervisor, "test_unruly").faults == 0);
  CHECK(health_of(supervisor, "test_unruly").restarts == 2);
}

TEST_CASE("fifty configurations one after the other cost no tick") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", R"({"step":1})", 150)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 2; }));
  const std::int64_t pid = health_of(supervisor, "test_counter").pid;
  for (int change = 2; change <= 51; ++change) {
    const std::string config = R"({"step":)" + std::to_string(change) + "}";
    supervisor.rehearse({settings_of("test_counter", config, 150)});
    REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
    CHECK(supervisor.rehearsal()->empty());
    supervisor.apply({settings_of("test_counter", config, 150)});
    const std::size_t before = sink.good_runs("test_counter");
    REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= before + 1; }));
  }
  const PluginHealth health = health_of(supervisor, "test_counter");
  CHECK(health.skipped_ticks == 0);
  CHECK(health.failed_runs == 0);
  CHECK(health.pid == pid);
  // Each nominal time is there once, the interval apart.
  const auto runs = sink.of("test_counter");
  REQUIRE(runs.size() >= 52);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    CHECK(std::llabs(runs[i].scheduled_unix_ns - runs[i - 1].scheduled_unix_ns - 150'000'000) < 75'000'000);
  }
}
