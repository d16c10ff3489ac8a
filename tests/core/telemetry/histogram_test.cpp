#include "core/telemetry/histogram.h"

#include "tests/support/catch.h"

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

using pganalytics::telemetry::Histogram;

TEST_CASE("a bound belongs to its own bucket, what is above to the next") {
  Histogram histogram;
  histogram.add(-5);  // a clock that was set back
  histogram.add(0);
  histogram.add(1'000'000);  // 1 ms, the first bound
  histogram.add(1'000'001);
  histogram.add(5'000'000'000);  // the last bound
  histogram.add(5'000'000'001);
  const auto seen = histogram.snapshot();
  CHECK(seen.buckets.at(0) == 3);
  CHECK(seen.buckets.at(1) == 1);
  CHECK(seen.buckets.at(Histogram::kBoundsSeconds.size() - 1) == 1);
  CHECK(seen.buckets.back() == 1);
  CHECK(seen.seconds == Approx(10.002000002).epsilon(1e-12));
}

TEST_CASE("what many threads add is all there") {
  constexpr std::int64_t kThreads = 4, kEach = 200'000;
  Histogram histogram;
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (std::int64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      while (!go) std::this_thread::yield();
      for (std::int64_t i = 1; i <= kEach; ++i) histogram.add(i * 1'000);
    });
  }
  go = true;
  for (std::thread& thread : threads) thread.join();
  const auto seen = histogram.snapshot();
  CHECK(std::accumulate(seen.buckets.begin(), seen.buckets.end(), std::uint64_t{0}) == kThreads * kEach);
  CHECK(seen.seconds == Approx(static_cast<double>(kThreads * kEach * (kEach + 1) / 2) * 1'000 / 1e9).epsilon(1e-12));
}
