#include "core/host/credit.h"

#include "core/host/token_bucket.h"
#include "tests/support/catch.h"

using namespace pganalytics::host;

namespace {

// The worker sends one document of `bytes` and the host keeps it.
bool send(RunCredit& run, std::size_t bytes) {
  if (!run.take(bytes)) return false;
  run.hold(bytes);
  return true;
}

}  // namespace

TEST_CASE("a run may send its window, and as much again as it is given back") {
  CreditPool pool(1000);
  RunCredit run(pool, 100);
  CHECK(run.window_bytes() == 100);
  CHECK(send(run, 60));
  CHECK(send(run, 40));
  CHECK_FALSE(send(run, 1));
  CHECK(pool.held_bytes() == 100);
  CHECK(run.give_back() == 100);
  CHECK(run.give_back() == 0);
  CHECK(send(run, 100));
  CHECK_FALSE(send(run, 1));
}

TEST_CASE("credit is given back in portions") {
  CreditPool pool(1000);
  RunCredit run(pool, 100);
  CHECK(send(run, 24));
  CHECK(run.give_back() == 0);
  CHECK(send(run, 1));
  CHECK(run.give_back() == 25);
}

TEST_CASE("beyond the budget one run goes on, the others when it is over") {
  CreditPool pool(150);
  RunCredit first(pool, 100);
  {
    RunCredit favoured(pool, 100);
    REQUIRE(send(first, 100));
    REQUIRE(send(favoured, 100));
    CHECK(favoured.give_back() == 100);
    CHECK(first.give_back() == 0);
    CHECK_FALSE(first.may_give_back());
    REQUIRE(send(favoured, 100));
    CHECK(favoured.give_back() == 100);
    CHECK(first.give_back() == 0);
  }
  CHECK(pool.held_bytes() == 100);
  CHECK(first.may_give_back());
  CHECK(first.give_back() == 100);
}

TEST_CASE("what the host does not keep does not weigh on the others") {
  CreditPool pool(150);
  RunCredit failed(pool, 100), other(pool, 100);
  REQUIRE(send(failed, 100));
  CHECK(failed.give_back() == 100);
  REQUIRE(send(failed, 100));
  REQUIRE(send(other, 100));
  REQUIRE(failed.give_back() == 100);  // it is the favoured one now
  CHECK(other.give_back() == 0);
  failed.let_go();
  CHECK(pool.held_bytes() == 100);
  CHECK(other.give_back() == 100);
}

TEST_CASE("a token bucket is open as often as it says") {
  TokenBucket bucket(10, 3);
  std::int64_t now_ns = 5'000'000'000;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(bucket.open(now_ns));
    bucket.take(1);
  }
  CHECK_FALSE(bucket.open(now_ns));
  CHECK(bucket.opens_ns() > now_ns + 99'000'000);
  CHECK(bucket.opens_ns() < now_ns + 101'000'000);
  CHECK_FALSE(bucket.open(now_ns + 90'000'000));
  CHECK(bucket.open(bucket.opens_ns()));
  CHECK_FALSE((bucket.take(21), bucket.open(now_ns + 1'000'000'000)));  // twenty below nothing, ten a second
  CHECK(bucket.open(now_ns + 2'200'000'000));
  now_ns += 1'000'000'000'000;
  int burst = 0;
  for (; bucket.open(now_ns); ++burst) bucket.take(1);
  CHECK(burst == 3);
}
