#include "core/server/api/lockout.h"

#include "core/server/api/bursts.h"
#include "core/server/api/expiring_set.h"
#include "core/server/api/rate_limit.h"
#include "tests/support/catch.h"

using namespace pganalytics::server::api;

namespace {
constexpr std::int64_t kSecond = 1'000'000'000;
}

TEST_CASE("so many failures lock out for so long, each for himself") {
  Lockout lockout(3, 10'000);
  CHECK_FALSE(lockout.fail("a", 0));
  CHECK_FALSE(lockout.fail("a", 1 * kSecond));
  CHECK(lockout.locked_s("a", 1 * kSecond) == 0);
  CHECK(lockout.fail("a", 2 * kSecond));
  CHECK(lockout.locked_s("a", 2 * kSecond) == 10);
  CHECK(lockout.locked_s("a", 11 * kSecond + kSecond / 2) == 1);
  CHECK(lockout.locked_s("b", 2 * kSecond) == 0);
  CHECK(lockout.locked_s("a", 12 * kSecond) == 0);
  CHECK_FALSE(lockout.fail("a", 12 * kSecond));  // it begins anew
}

TEST_CASE("failures long ago do not count, and a lock is not lifted by failing on") {
  Lockout lockout(2, 10'000);
  CHECK_FALSE(lockout.fail("a", 0));
  CHECK_FALSE(lockout.fail("a", 10 * kSecond));
  CHECK(lockout.fail("a", 11 * kSecond));
  CHECK_FALSE(lockout.fail("a", 12 * kSecond));
  CHECK(lockout.locked_s("a", 12 * kSecond) == 9);
}

TEST_CASE("lock-outs, things remembered and minutes do not fill the memory") {
  Lockout lockout(1, 1'000);
  ExpiringSet set(1'000, 1'000);
  Bursts bursts;
  for (int i = 0; i < 120'000; ++i) {
    const auto now = static_cast<std::int64_t>(i);
    CHECK(lockout.fail(std::to_string(i), now));
    set.add(std::to_string(i), now);
    CHECK(bursts.note(std::to_string(i), 1, now));
  }
  CHECK(lockout.locked_s("119999", 120'000) == 1);
  CHECK(set.has("119999", 120'000));
  CHECK_FALSE(set.has("5", 120'000));
}

TEST_CASE("what is remembered for a while is forgotten after it") {
  ExpiringSet set(2'000, 10);
  CHECK_FALSE(set.has("a", 0));
  set.add("a", 0);
  CHECK(set.has("a", kSecond));
  CHECK_FALSE(set.has("a", 2 * kSecond));
}

TEST_CASE("a burst is told once a minute, when it is one") {
  Bursts bursts;
  CHECK_FALSE(bursts.note("a", 3, 0));
  CHECK_FALSE(bursts.note("a", 3, 1));
  CHECK(bursts.note("a", 3, 2));
  CHECK_FALSE(bursts.note("a", 3, 3));
  CHECK_FALSE(bursts.note("b", 3, 3));
  CHECK_FALSE(bursts.note("a", 3, 60 * kSecond));
  CHECK_FALSE(bursts.note("a", 3, 60 * kSecond));
  CHECK(bursts.note("a", 3, 60 * kSecond));
}

TEST_CASE("asking how long to wait takes nothing") {
  RateLimit limit(1, 1);
  CHECK(limit.wait_s("a", 0) == 0);
  CHECK(limit.wait_s("a", 0) == 0);
  CHECK(limit.take("a", 0) == 0);
  CHECK(limit.wait_s("a", 0) == 1);
  CHECK(limit.wait_s("a", kSecond) == 0);
}
