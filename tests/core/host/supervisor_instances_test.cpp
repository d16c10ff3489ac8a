// Several instances of one plugin: each is isolated, remembered and judged like another plugin.
#include "core/host/supervisor.h"

#include <csignal>

#include "core/host/quarantine.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

PluginSettings instance_of(const std::string& id, const std::string& name, const std::string& config_json,
                           std::int64_t interval_ms = 60'000) {
  PluginSettings settings = settings_of(id, config_json, interval_ms);
  settings.instance = id + "@" + name;
  return settings;
}

}  // namespace

TEST_CASE("two instances of one file run side by side, each in its worker and with its own state") {
  TestSink sink;
  sink.state["test_counter@two"]["count"] = "41";
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 100), instance_of("test_counter", "two", R"({"step":1000})", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 2 && sink.good_runs("test_counter@two") >= 2; }));
  CHECK(number_in(sink.of("test_counter")[1].documents.at(0), "count") == 2);
  CHECK(number_in(sink.of("test_counter@two")[1].documents.at(0), "count") == 2041);
  CHECK(sink.of("test_counter@two")[0].documents[0].find(R"("type":"test_counter")") != std::string::npos);
  const std::int64_t first = health_of(supervisor, "test_counter").pid, second = health_of(supervisor, "test_counter@two").pid;
  CHECK((first > 0 && second > 0 && first != second));
}

TEST_CASE("an instance that dies or leaves costs the other nothing") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 50), instance_of("test_counter", "two", "{}", 50)});
  const std::string two = "test_counter@two";
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1 && sink.good_runs(two) >= 1; }));
  const std::int64_t survivor = health_of(supervisor, "test_counter").pid;
  const std::int64_t victim = health_of(supervisor, two).pid;
  REQUIRE(kill(static_cast<pid_t>(victim), SIGKILL) == 0);
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, two).faults == 1; }));
  CHECK(health_of(supervisor, "test_counter").pid == survivor);
  CHECK(health_of(supervisor, "test_counter").faults == 0);

  supervisor.apply({settings_of("test_counter", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return supervisor.health().size() == 1; }));
  CHECK(health_of(supervisor, "test_counter").pid == survivor);
  CHECK_FALSE(supervisor.request_run(two, PGA_REASON_ONDEMAND));
}

TEST_CASE("a quarantine is one instance's, remembered and released by its whole name") {
  const std::string two = "test_counter@two";
  Quarantine quarantine(clock::system_clock(), info_of("test_counter").build_id);
  for (std::size_t i = 0; i < Quarantine::kFaultsMax; ++i) quarantine.fault();
  TestSink sink;
  sink.quarantines[two] = quarantine.record().value();
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 50), instance_of("test_counter", "two", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 2; }));
  CHECK(health_of(supervisor, two).state == "quarantined");
  CHECK(sink.good_runs(two) == 0);
  REQUIRE(supervisor.release(two));
  CHECK(turn_until(supervisor, [&] { return sink.good_runs(two) >= 1; }));
  CHECK(sink.quarantines.empty());
}

TEST_CASE("an instance is told its name, and its documents are of the plugin's type") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({instance_of("test_unruly", "prod-2", R"({"do":"knows"})")});
  REQUIRE(supervisor.request_run("test_unruly@prod-2", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE_FALSE(sink.reports[0].failed);
  CHECK(sink.reports[0].plugin == "test_unruly@prod-2");
  CHECK(sink.reports[0].documents.at(0).find(R"("text":"hunter2 db1 prod-2")") != std::string::npos);
}

TEST_CASE("a rehearsal asks each instance about its own configuration") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 50), instance_of("test_counter", "two", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1 && sink.good_runs("test_counter@two") >= 1; }));
  supervisor.rehearse({settings_of("test_counter", R"({"step":2})", 50), instance_of("test_counter", "two", R"({"bad":1})", 50)});
  REQUIRE(turn_until(supervisor, [&] { return supervisor.rehearsal().has_value(); }));
  const auto refusals = *supervisor.rehearsal();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals.begin()->first == "test_counter@two");
}

TEST_CASE("two instances of a first-party plugin may run in threads of one process") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  PluginSettings first = settings_of("sysstat", "{}", 50), second = instance_of("sysstat", "two", R"({"step":10})", 50);
  first.confinement.isolation = second.confinement.isolation = Isolation::kThread;
  supervisor.apply({first, second});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("sysstat") >= 2 && sink.good_runs("sysstat@two") >= 2; }));
  CHECK(number_in(sink.of("sysstat")[1].documents.at(0), "count") == 2);
  CHECK(number_in(sink.of("sysstat@two")[1].documents.at(0), "count") == 20);
}
