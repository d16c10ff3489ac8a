// Configuration and intervals of running plugins, changed live.
#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

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
