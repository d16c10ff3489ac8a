// Workers that say more than anybody can listen to: it costs the host neither a core nor memory, and the others no tick.
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "core/host/resources.h"
#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr const char* kId = "test_unruly";
constexpr const char* kOther = "test_unruly_too";

PluginSettings unruly(const std::string& id, const std::string& what, std::int64_t timeout_ms = 30'000) {
  return settings_of(id, "{\"do\":\"" + what + "\"}", 60'000, timeout_ms);
}

std::int64_t own_cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

// Two seconds beside a flood of frames or lines.
void check_unmoved_by(const std::string& flood) {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_steady", "{}", 250), unruly(kId, flood)});
  REQUIRE(
      turn_until(supervisor, [&] { return health_of(supervisor, kId).state == "running" && sink.good_runs("test_steady") > 0; }));
  const std::int64_t cpu_ms = own_cpu_ms(), rss_bytes = usage_of(getpid(), false)->rss_bytes;
  const std::size_t runs = sink.good_runs("test_steady");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= runs + 8; }));
  CHECK(own_cpu_ms() - cpu_ms < 500);  // of 2000 that a busy loop would take
  CHECK(usage_of(getpid(), false)->rss_bytes - rss_bytes < (8 << 20));
  CHECK(health_of(supervisor, "test_steady").skipped_ticks == 0);
  CHECK(health_of(supervisor, kId).state == "running");
}

}  // namespace

TEST_CASE("a gigabyte a second on stderr is read a mebibyte a second") { check_unmoved_by("flood stderr"); }

TEST_CASE("frames without end are taken a thousand a second") { check_unmoved_by("flood frames"); }

TEST_CASE("lines that a plugin logs too fast are dropped where they are made, and counted") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({unruly(kId, "flood log")});
  for (std::size_t run = 1; run <= 2; ++run) {
    REQUIRE(supervisor.request_run(kId, PGA_REASON_ONDEMAND));
    REQUIRE(turn_until(supervisor, [&] { return sink.good_runs(kId) == run; }));
    // The last ones are told with the next line that passes, a tenth of a second later.
    const std::int64_t later_ns = clock::now_monotonic_ns() + 200'000'000;
    REQUIRE(turn_until(supervisor, [&] { return clock::now_monotonic_ns() > later_ns; }));
  }
  CHECK(health_of(supervisor, kId).dropped_log_lines > 90'000);
  CHECK(health_of(supervisor, kId).dropped_log_lines < 200'000);
}

TEST_CASE("a frame longer than its type may be breaks the protocol before it is read") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.apply({unruly(kId, "long log frame")});
  REQUIRE(turn_until(supervisor, [&] { return !sink.reports.empty(); }));
  REQUIRE(sink.reports[0].failed);
  CHECK(sink.reports[0].failed->code == "frame.length");
  CHECK(health_of(supervisor, kId).faults == 1);
}

TEST_CASE("runs larger than the window and the budget arrive whole, all of them") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.credit_window_bytes = 128 << 10;
  options.held_bytes_max = 256 << 10;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({unruly(kId, "much"), unruly(kOther, "much")});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs(kId) == 1 && sink.good_runs(kOther) == 1; }));
  for (const RunReport& report : sink.reports) CHECK(report.documents.size() == 64);
}

TEST_CASE("a plugin waits in emit() while the host holds enough, and minds the cancel there") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.credit_window_bytes = 128 << 10;
  options.held_bytes_max = 128 << 10;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({unruly(kOther, "hold")});  // 384 KiB, and then it waits: favoured, beyond the budget
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, kOther).state == "running"; }));
  const std::int64_t settled_ns = clock::now_monotonic_ns() + 300'000'000;
  REQUIRE(turn_until(supervisor, [&] { return clock::now_monotonic_ns() > settled_ns; }));
  supervisor.apply({unruly(kOther, "hold"), unruly(kId, "much", 500)});
  REQUIRE(turn_until(supervisor, [&] { return !sink.of(kId).empty(); }));
  const RunReport report = sink.of(kId)[0];
  REQUIRE(report.failed);
  CHECK(report.failed->status == PGA_E_DEADLINE);
  CHECK(report.duration_ms >= 500);
  CHECK(health_of(supervisor, kId).kills == 0);  // it returned by itself
  CHECK(health_of(supervisor, kId).faults == 0);
}

TEST_CASE("a worker that sends beyond its credit breaks the protocol") {
  TestSink sink;
  SupervisorOptions options = test_options();
  options.credit_window_bytes = 128 << 10;
  options.held_bytes_max = 128 << 10;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({unruly(kOther, "hold")});
  const std::int64_t settled_ns = clock::now_monotonic_ns() + 500'000'000;
  REQUIRE(turn_until(supervisor,
                     [&] { return clock::now_monotonic_ns() > settled_ns && health_of(supervisor, kOther).state == "running"; }));
  supervisor.apply({unruly(kOther, "hold"), unruly(kId, "flood documents")});
  REQUIRE(turn_until(supervisor, [&] { return !sink.of(kId).empty(); }));
  REQUIRE(sink.of(kId)[0].failed);
  CHECK(sink.of(kId)[0].failed->message.find("more than it had credit for") != std::string::npos);
  CHECK(health_of(supervisor, kId).faults == 1);
  CHECK(health_of(supervisor, kOther).state == "running");
}
