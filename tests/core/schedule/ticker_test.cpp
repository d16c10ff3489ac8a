#include "core/schedule/ticker.h"

#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace pganalytics;
using schedule::Ticker;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

// A clock whose hands the test turns.
class HandClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return wall_ns; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return mono_ns; }
  void pass(std::int64_t ns) { wall_ns += ns, mono_ns += ns; }

  std::int64_t wall_ns = 1'770'091'445 * kSecond;
  std::int64_t mono_ns = 5000 * kSecond;
};

// Turn the hands to the next tick and take it.
schedule::Tick step(HandClock& clock, Ticker& ticker) {
  clock.pass(ticker.next_monotonic_ns() - clock.mono_ns);
  const auto tick = ticker.take();
  REQUIRE(tick.has_value());
  return *tick;
}

// Until the steering has nothing left to do.
void settle(HandClock& clock, Ticker& ticker) {
  for (int i = 0; i < 8; ++i) step(clock, ticker);
}

}  // namespace

TEST_CASE("the first tick comes within two seconds or an interval") {
  HandClock clock;
  for (int i = 0; i < 100; ++i) {
    CHECK(Ticker(clock, "c", std::to_string(i), 3'600'000).next_monotonic_ns() - clock.mono_ns < 2 * kSecond);
    CHECK(Ticker(clock, "c", std::to_string(i), 500).next_monotonic_ns() - clock.mono_ns < 500 * kMs);
  }
}

TEST_CASE("ticks settle on a grid of the wall clock that a restart finds again") {
  HandClock clock;
  Ticker ticker(clock, "collector", "pg_stats", 60'000);
  settle(clock, ticker);
  const std::int64_t phase_ns = step(clock, ticker).scheduled_unix_ns % (60 * kSecond);
  CHECK(step(clock, ticker).scheduled_unix_ns % (60 * kSecond) == phase_ns);

  clock.pass(1234 * kSecond + 567);
  Ticker restarted(clock, "collector", "pg_stats", 60'000);
  settle(clock, restarted);
  CHECK(step(clock, restarted).scheduled_unix_ns % (60 * kSecond) == phase_ns);
}

TEST_CASE("each interval is at most a tenth off while the ticks are steered") {
  HandClock clock;
  Ticker ticker(clock, "collector", "pg_stats", 10'000);
  std::int64_t before_ns = step(clock, ticker).scheduled_unix_ns;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t now_ns = step(clock, ticker).scheduled_unix_ns;
    CHECK(now_ns - before_ns >= 9 * kSecond);
    CHECK(now_ns - before_ns <= 11 * kSecond);
    before_ns = now_ns;
  }
}

TEST_CASE("plugins and collectors are spread over the interval") {
  std::set<std::int64_t> phases;
  for (int i = 0; i < 50; ++i) {
    HandClock clock;
    Ticker ticker(clock, "collector-" + std::to_string(i), "pg_stats", 60'000);
    settle(clock, ticker);
    phases.insert(step(clock, ticker).scheduled_unix_ns % (60 * kSecond) / (6 * kSecond));
  }
  CHECK(phases.size() >= 8);  // of ten bins of six seconds
}

TEST_CASE("nothing is due before its time") {
  HandClock clock;
  Ticker ticker(clock, "c", "p", 10'000);
  step(clock, ticker);
  CHECK_FALSE(ticker.take());
  clock.pass(ticker.next_monotonic_ns() - clock.mono_ns - 1);
  CHECK_FALSE(ticker.take());
  clock.pass(1);
  CHECK(ticker.take());
}

TEST_CASE("late ticks are skipped and counted, never queued") {
  HandClock clock;
  Ticker ticker(clock, "c", "p", 10'000);
  settle(clock, ticker);
  const std::int64_t last_ns = step(clock, ticker).scheduled_unix_ns;
  clock.pass(35 * kSecond);
  const auto late = ticker.take();
  REQUIRE(late);
  CHECK(late->skipped == 2);
  CHECK(late->scheduled_unix_ns == last_ns + 30 * kSecond);
  CHECK_FALSE(ticker.take());
  CHECK(step(clock, ticker).scheduled_unix_ns == last_ns + 40 * kSecond);
}

TEST_CASE("a wall clock that jumps neither repeats nor drops a tick") {
  for (const std::int64_t jump_ns : {-3600 * kSecond, -1 * kMs, 3607 * kSecond}) {
    HandClock clock;
    Ticker ticker(clock, "c", "p", 10'000);
    settle(clock, ticker);
    clock.wall_ns += jump_ns;
    for (int i = 0; i < 10; ++i) {
      const std::int64_t before_ns = clock.mono_ns;
      CHECK(step(clock, ticker).skipped == 0);
      CHECK(clock.mono_ns - before_ns >= 9 * kSecond);
      CHECK(clock.mono_ns - before_ns <= 11 * kSecond);
    }
  }
}

TEST_CASE("a new interval counts from the last tick") {
  HandClock clock;
  Ticker ticker(clock, "c", "p", 10'000);
  settle(clock, ticker);
  const std::int64_t last_ns = clock.mono_ns;

  SECTION("longer") {
    clock.pass(3 * kSecond);
    ticker.set_interval(60'000);
    CHECK(ticker.next_monotonic_ns() == last_ns + 60 * kSecond);
  }
  SECTION("shorter, not over yet") {
    clock.pass(3 * kSecond);
    ticker.set_interval(5'000);
    CHECK(ticker.next_monotonic_ns() == last_ns + 5 * kSecond);
  }
  SECTION("shorter, over already: now, and no skipped tick") {
    clock.pass(8 * kSecond);
    ticker.set_interval(2'000);
    const auto tick = ticker.take();
    REQUIRE(tick);
    CHECK(tick->skipped == 0);
  }
  SECTION("the same changes nothing") {
    const std::int64_t next_ns = ticker.next_monotonic_ns();
    ticker.set_interval(10'000);
    CHECK(ticker.next_monotonic_ns() == next_ns);
  }
}

TEST_CASE("before the first tick a shorter interval still counts") {
  HandClock clock;
  Ticker ticker(clock, "c", "p", 3'600'000);
  ticker.set_interval(1);
  CHECK(ticker.next_monotonic_ns() <= clock.mono_ns + kMs);
}
