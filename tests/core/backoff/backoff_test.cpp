#include "core/backoff/backoff.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"

using pganalytics::backoff::Backoff;

TEST_CASE("the ceiling doubles up to the maximum and starts over after a success") {
  Backoff backoff(1000, 60'000, 1);
  for (const std::int64_t ceiling_ms : {1000, 2000, 4000, 8000, 16'000, 32'000, 60'000, 60'000}) {
    CHECK(backoff.ceiling_ms() == ceiling_ms);
    const std::int64_t wait_ms = backoff.next_ms();
    CHECK(wait_ms >= 0);
    CHECK(wait_ms <= ceiling_ms);
  }
  backoff.reset();
  CHECK(backoff.ceiling_ms() == 1000);
}

TEST_CASE("waits fill the whole range, so that peers do not come back together") {
  std::int64_t lowest = 1000, highest = 0;
  std::set<std::int64_t> different;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const std::int64_t wait_ms = Backoff(1000, 60'000, seed).next_ms();
    lowest = std::min(lowest, wait_ms);
    highest = std::max(highest, wait_ms);
    different.insert(wait_ms);
  }
  CHECK(lowest < 20);
  CHECK(highest > 980);
  CHECK(different.size() > 500);
}

TEST_CASE("a wait that the other side asked for is honoured") {
  Backoff backoff(1000, 60'000, 1);
  CHECK(backoff.next_ms(90'000) == 90'000);
  CHECK(backoff.ceiling_ms() == 2000);
}

TEST_CASE("seeds differ") { CHECK(pganalytics::backoff::random_seed() != pganalytics::backoff::random_seed()); }
