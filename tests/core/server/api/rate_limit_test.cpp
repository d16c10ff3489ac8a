#include "core/server/api/rate_limit.h"

#include "tests/support/catch.h"

using pganalytics::server::api::RateLimit;

TEST_CASE("a burst, then so many per second, each caller for itself") {
  constexpr std::int64_t kSecond = 1'000'000'000;
  RateLimit limit(2, 3);
  for (int i = 0; i < 3; ++i) CHECK(limit.take("a", 0) == 0);
  CHECK(limit.take("a", 0) == 1);
  CHECK(limit.take("b", 0) == 0);
  CHECK(limit.take("a", kSecond / 2) == 0);
  CHECK(limit.take("a", kSecond / 2) == 1);
  for (int i = 0; i < 3; ++i) CHECK(limit.take("a", 100 * kSecond) == 0);  // no more than a burst is saved up
  CHECK(limit.take("a", 100 * kSecond) == 1);
  RateLimit slow(0.1, 1);
  CHECK(slow.take("a", 0) == 0);
  CHECK(slow.take("a", 0) == 10);
}

TEST_CASE("callers that come once do not fill the memory") {
  RateLimit limit(1000, 2);
  for (int i = 0; i < 200'000; ++i) CHECK(limit.take(std::to_string(i), static_cast<std::int64_t>(i) * 1'000'000) == 0);
}
