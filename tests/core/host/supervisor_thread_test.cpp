// isolation = "thread": the same frames, the same checks, in a thread of this process. The plugins of the tests are compiled once
// more under first-party ids.
#include <sys/syscall.h>
#include <unistd.h>

#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

PluginSettings threaded(const std::string& id, const std::string& config_json, std::int64_t interval_ms = 60'000,
                        std::int64_t timeout_ms = 0) {
  PluginSettings settings = settings_of(id, config_json, interval_ms, timeout_ms);
  settings.confinement.isolation = Isolation::kThread;
  return settings;
}

}  // namespace

TEST_CASE("a first-party plugin runs in a thread: documents, state and configuration as in a process") {
  TestSink sink;
  sink.state["sysstat"]["count"] = "41";
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({threaded("sysstat", "{}", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("sysstat") >= 2; }));
  CHECK(number_in(sink.reports[0].documents.at(0), "count") == 42);
  CHECK(number_in(sink.reports[1].documents.at(0), "count") == 43);
  PluginHealth health = health_of(supervisor, "sysstat");
  CHECK(health.isolation == Isolation::kThread);
  CHECK(health.pid == 0);
  CHECK(health.rss_bytes == 0);
  REQUIRE(health.sandbox_gaps.size() == 1);
  supervisor.apply({threaded("sysstat", R"({"step":1000})", 100)});
  REQUIRE(turn_until(supervisor, [&] { return std::stoll(sink.state["sysstat"]["count"]) > 1000; }));
  supervisor.apply({threaded("sysstat", R"({"bad":1})", 100)});
  CHECK(turn_until(supervisor, [&] { return health_of(supervisor, "sysstat").last_error.find("'bad'") != std::string::npos; }));
  supervisor.stop(5000);
  CHECK(supervisor.health().empty());
}

TEST_CASE("two plugins in threads, and one that is stopped and comes back") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({threaded("sysstat", "{}", 50), threaded("disk", R"({"do":"many"})", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("sysstat") >= 2 && sink.good_runs("disk") >= 2; }));
  supervisor.apply({threaded("sysstat", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return supervisor.health().size() == 1; }));
  const std::size_t before = sink.good_runs("disk");
  supervisor.apply({threaded("sysstat", "{}", 50), threaded("disk", R"({"do":"many"})", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("disk") > before; }));
}

TEST_CASE("a plugin that is not first-party is refused a thread, with the way out") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({threaded("test_counter", "{}", 50), settings_of("test_steady", "{}", 50)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= 1; }));
  CHECK(health_of(supervisor, "test_counter").state == "failed");
  CHECK(health_of(supervisor, "test_counter").last_error.find("thread") != std::string::npos);
  supervisor.apply({settings_of("test_counter", "{}", 50), settings_of("test_steady", "{}", 50)});
  CHECK(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
}

TEST_CASE("a run that is cancelled in a thread ends there, and the thread goes on") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({threaded("disk", R"({"do":"wait"})", 200, 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.of("disk").size() >= 2; }));
  CHECK(sink.of("disk")[1].failed->status == PGA_E_DEADLINE);
  CHECK(health_of(supervisor, "disk").kills == 0);
}

TEST_CASE("a thread that does not return is hung: reported, never doubled, and nobody waits for it") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({threaded("logs", R"({"do":"sleep 4 s"})", 300, 300), settings_of("test_steady", "{}", 250)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "logs").state == "hung"; }));
  REQUIRE(sink.of("logs").size() == 1);
  CHECK(sink.of("logs")[0].failed->code == "worker.hung");
  CHECK(health_of(supervisor, "logs").faults == 1);
  const std::size_t before = sink.good_runs("test_steady");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= before + 4; }));
  CHECK(health_of(supervisor, "test_steady").skipped_ticks == 0);
  CHECK(health_of(supervisor, "logs").state == "hung");
  CHECK(sink.of("logs").size() == 1);  // no other instance ran meanwhile
  // It comes back in the end, and then there is another.
  REQUIRE(turn_until(supervisor, [&] { return sink.of("logs").size() == 2; }));
}
