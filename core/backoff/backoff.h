// The one retry policy of the tree: exponential with full jitter.
//
// The wait before try n is drawn uniformly from [0, min(first * 2^n, max)]: peers that failed together do not come back
// together. Here: how long. Not here: whether (each caller's rules), sleeping. One owner at a time.
#pragma once

#include <cstdint>

namespace pganalytics::backoff {

class Backoff {
 public:
  // `seed` makes the draws: random_seed() in programs, a constant in tests.
  Backoff(std::int64_t first_ms, std::int64_t max_ms, std::uint64_t seed);

  // After a failure: how long to wait. Not less than `at_least_ms`, what the other side asked for (Retry-After).
  std::int64_t next_ms(std::int64_t at_least_ms = 0);
  // After a success.
  void reset() { ceiling_ms_ = first_ms_; }

  // What the next draw is limited by.
  [[nodiscard]] std::int64_t ceiling_ms() const { return ceiling_ms_; }

 private:
  std::int64_t first_ms_, max_ms_, ceiling_ms_;
  std::uint64_t random_;
};

// Different in each process and each call. [any thread]
std::uint64_t random_seed();

}  // namespace pganalytics::backoff
