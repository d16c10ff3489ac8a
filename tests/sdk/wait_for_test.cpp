// wait_for() of plugin.hpp: what wakes a collector that waits for its target, and when.
#include <unistd.h>

#include <atomic>

#include <pganalytics/plugin.hpp>
#include <thread>

#include "tests/support/catch.h"

namespace {

using namespace pganalytics;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  void say() const { REQUIRE(::write(ends[1], "x", 1) == 1); }
};

// A run that ends `timeout` from now, cancelled by cancel(); with_fd = false: by a host that has no cancel_fd.
struct RunOfTest {
  Pipe wake;
  std::atomic<std::uint32_t> cancelled{0};
  pga_run table{};

  explicit RunOfTest(milliseconds timeout, bool with_fd = true) {
    table.struct_size = sizeof table;
    table.ctx = &cancelled;
    table.deadline_mono_ns = monotonic_now_ns() + std::chrono::nanoseconds(timeout).count();
    table.cancel_fd = with_fd ? wake.ends[0] : -1;
    table.cancelled = [](const pga_run* run) { return static_cast<std::atomic<std::uint32_t>*>(run->ctx)->load(); };
  }
  void cancel() {
    cancelled = 1;
    wake.say();
  }
};

Wake woken_by(Expected<Wake> wake) {
  REQUIRE(wake);
  return *wake;
}

TEST_CASE("a descriptor that is ready wakes at once") {
  RunOfTest run(milliseconds(10'000));
  const Pipe data;
  CHECK(woken_by(wait_for(data.ends[1], POLLOUT, Run(&run.table))) == Wake::kReady);
  data.say();
  CHECK(woken_by(wait_for(data.ends[0], POLLIN, Run(&run.table))) == Wake::kReady);
}

TEST_CASE("a hangup counts as ready, for the read to report") {
  RunOfTest run(milliseconds(10'000));
  Pipe data;
  data.close_end(1);
  CHECK(woken_by(wait_for(data.ends[0], POLLIN, Run(&run.table))) == Wake::kReady);
}

TEST_CASE("the deadline ends a wait, and a shorter limit before it") {
  const Pipe silent;
  RunOfTest run(milliseconds(10'000));
  const auto begin = Clock::now();
  CHECK(woken_by(wait_for(silent.ends[0], POLLIN, Run(&run.table), milliseconds(30))) == Wake::kTimeout);
  CHECK(Clock::now() - begin >= milliseconds(30));

  RunOfTest short_run(milliseconds(30));
  CHECK(woken_by(wait_for(silent.ends[0], POLLIN, Run(&short_run.table))) == Wake::kTimeout);
  RunOfTest past(milliseconds(-5'000));
  CHECK(woken_by(wait_for(silent.ends[0], POLLIN, Run(&past.table))) == Wake::kTimeout);
  CHECK(Clock::now() - begin < milliseconds(5'000));
}

TEST_CASE("a cancel wakes, before anything else, with and without a cancel_fd") {
  const bool with_fd = GENERATE(true, false);
  RunOfTest run(milliseconds(10'000), with_fd);
  const Pipe silent;
  std::thread other([&] { run.cancel(); });
  CHECK(woken_by(wait_for(silent.ends[0], POLLIN, Run(&run.table))) == Wake::kCancelled);
  other.join();
  const Pipe data;
  data.say();
  CHECK(woken_by(wait_for(data.ends[0], POLLIN, Run(&run.table))) == Wake::kCancelled);
}

TEST_CASE("without a descriptor it is a sleep that a cancel ends") {
  RunOfTest run(milliseconds(10'000));
  CHECK(woken_by(wait_for(-1, 0, Run(&run.table), milliseconds(20))) == Wake::kTimeout);
  std::thread other([&] { run.cancel(); });
  CHECK(woken_by(wait_for(-1, 0, Run(&run.table))) == Wake::kCancelled);
  other.join();
}

}  // namespace
