// A plugin that fails too often, with real workers: it is let alone, across restarts of the host too, until its time is over,
// somebody releases it or there is another build of it.
#include "core/host/supervisor.h"
#include "tests/core/host/hand_clock.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr const char* kId = "test_unruly";
constexpr std::int64_t kLongestBackoffMs = 60'000;

PluginSettings crashing(std::int64_t interval_ms = 50) { return settings_of(kId, R"({"do":"segv"})", interval_ms); }
PluginSettings steady() { return settings_of("test_steady", "{}", 100); }

// Each crash costs a backoff; the clock is put forward over it.
void crash_until_quarantined(Supervisor& supervisor, ForwardClock& clock) {
  for (std::uint64_t faults = health_of(supervisor, kId).faults;; ++faults) {
    REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, kId).faults > faults; }));
    if (health_of(supervisor, kId).state == "quarantined") return;
    clock.advance_ms(kLongestBackoffMs);
  }
}

}  // namespace

TEST_CASE("five crashes quarantine a plugin: no worker, its ticks are counted, a requested run says why") {
  TestSink sink;
  ForwardClock clock;
  Supervisor supervisor(test_options(), sink, clock);
  supervisor.apply({crashing()});
  crash_until_quarantined(supervisor, clock);
  PluginHealth health = health_of(supervisor, kId);
  CHECK(health.faults == 5);
  CHECK(health.quarantines == 1);
  CHECK(health.restarts == 4);
  CHECK(health.pid == 0);
  CHECK(health.quarantined_until_unix_ns > clock.unix_ns() + 14 * 60'000 * 1'000'000LL);
  CHECK(health.quarantined_until_unix_ns <= clock.unix_ns() + 15 * 60'000 * 1'000'000LL);
  CHECK(health.last_error.find("signal 11") != std::string::npos);

  const std::uint64_t skipped = health.skipped_ticks, runs = health.runs;
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, kId).skipped_ticks >= skipped + 5; }));
  health = health_of(supervisor, kId);
  CHECK(health.pid == 0);
  CHECK(health.runs == runs);

  REQUIRE(supervisor.request_run(kId, PGA_REASON_ONDEMAND));
  const std::size_t before = sink.reports.size();
  REQUIRE(turn_until(supervisor, [&] { return sink.reports.size() > before; }));
  REQUIRE(sink.reports.back().failed);
  CHECK(sink.reports.back().failed->code == "plugin.quarantined");
  CHECK(sink.reports.back().failed->message.find("signal 11") != std::string::npos);
  CHECK(sink.reports.back().failed->hint.find("plugin release test_unruly") != std::string::npos);
}

TEST_CASE("when its time is over a plugin gets another worker, and the next quarantine is longer") {
  TestSink sink;
  ForwardClock clock;
  Supervisor supervisor(test_options(), sink, clock);
  supervisor.apply({crashing()});
  crash_until_quarantined(supervisor, clock);
  clock.advance_ms(15 * 60'000);
  crash_until_quarantined(supervisor, clock);
  CHECK(health_of(supervisor, kId).quarantines == 2);
  CHECK(health_of(supervisor, kId).quarantined_until_unix_ns > clock.unix_ns() + 29 * 60'000 * 1'000'000LL);
}

TEST_CASE("a quarantine outlives the host, a new build does not inherit it") {
  TestSink sink;
  ForwardClock clock;
  {
    Supervisor supervisor(test_options(), sink, clock);
    supervisor.apply({crashing()});
    crash_until_quarantined(supervisor, clock);
    REQUIRE(sink.quarantines.count(kId) == 1);
  }
  {
    Supervisor supervisor(test_options(), sink, clock);
    supervisor.apply({crashing(), steady()});
    REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= 3; }));
    const PluginHealth health = health_of(supervisor, kId);
    CHECK(health.state == "quarantined");
    CHECK(health.quarantined_until_unix_ns > clock.unix_ns());
    CHECK(health.pid == 0);
    CHECK(health.faults == 0);
    CHECK(health.skipped_ticks >= 3);
  }
  {
    PluginSettings rebuilt = settings_of(kId, R"({"do":"good"})", 50);
    rebuilt.info = another_build_of(kId);
    Supervisor supervisor(test_options(), sink, clock);
    supervisor.apply({rebuilt});
    CHECK(turn_until(supervisor, [&] { return sink.good_runs(kId) >= 1; }));
    CHECK(health_of(supervisor, kId).build_id == rebuilt.info.build_id);
    CHECK(sink.quarantines.count(kId) == 0);
  }
}

TEST_CASE("a new build while the host runs has a fresh chance, another configuration has not") {
  TestSink sink;
  ForwardClock clock;
  Supervisor supervisor(test_options(), sink, clock);
  supervisor.apply({crashing(), steady()});
  crash_until_quarantined(supervisor, clock);
  PluginSettings good = settings_of(kId, R"({"do":"good"})", 50);
  supervisor.apply({good, steady()});
  const std::size_t before = sink.good_runs("test_steady");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= before + 3; }));
  CHECK(health_of(supervisor, kId).state == "quarantined");
  good.info = another_build_of(kId);
  supervisor.apply({good, steady()});
  CHECK(turn_until(supervisor, [&] { return sink.good_runs(kId) >= 1; }));
}

TEST_CASE("release ends a quarantine at once, and its record") {
  TestSink sink;
  ForwardClock clock;
  Supervisor supervisor(test_options(), sink, clock);
  supervisor.apply({crashing()});
  crash_until_quarantined(supervisor, clock);
  const std::uint64_t faults = health_of(supervisor, kId).faults;
  REQUIRE(supervisor.release(kId));
  CHECK(sink.quarantines.count(kId) == 0);
  CHECK(health_of(supervisor, kId).state != "quarantined");
  CHECK(turn_until(supervisor, [&] { return health_of(supervisor, kId).faults > faults; }));
  CHECK(health_of(supervisor, kId).quarantines == 1);
}

TEST_CASE("release says when there is nothing to release") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({steady()});
  const Outcome unknown = supervisor.release("nobody");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().status == PGA_E_NOTFOUND);
  const Outcome free = supervisor.release("test_steady");
  REQUIRE_FALSE(free);
  CHECK(free.error().code == "plugin.not_quarantined");
}

TEST_CASE("a damaged record, or none to be had, is no quarantine") {
  for (const bool readable : {true, false}) {
    TestSink sink;
    sink.quarantines["test_steady"] = "rubbish";
    sink.quarantine_readable = readable;
    Supervisor supervisor(test_options(), sink, clock::system_clock());
    supervisor.apply({steady()});
    CHECK(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= 1; }));
  }
}

TEST_CASE("what a plugin cannot help is not held against it") {
  TestSink sink;
  ForwardClock clock;
  SupervisorOptions options = test_options();
  options.worker_path = "/nonexistent/pganalytics-worker";
  Supervisor supervisor(options, sink, clock);
  supervisor.apply({crashing()});
  for (std::uint64_t restarts = 0; restarts < 8; ++restarts) {
    REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, kId).restarts > restarts; }));
    clock.advance_ms(kLongestBackoffMs);
  }
  CHECK(health_of(supervisor, kId).faults == 0);
  CHECK(health_of(supervisor, kId).quarantines == 0);
}
