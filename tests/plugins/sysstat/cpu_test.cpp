// CPU shares from /proc/stat: what the sum is, what going backwards does, what a broken text does.
#include "plugins/sysstat/cpu.h"

#include <numeric>
#include <string>

#include "tests/support/catch.h"

using namespace pganalytics::sysstat;

namespace {

constexpr char kStat[] =
    "cpu  6141 3 4532 285391 561 7 103 17 40 2\n"
    "cpu0 2829 1 1816 143722 34 3 10 7 20 1\n"
    "cpu1 3311 2 2716 141668 527 4 93 10 20 1\n"
    "intr 324740 0 0 1\n"
    "ctxt 669161\n";

double sum(const CpuShares& shares) { return std::accumulate(shares.begin(), shares.end(), 0.0); }

}  // namespace

TEST_CASE("the cpu line is read by column and processors are counted") {
  Gaps gaps;
  const CpuReading reading = parse_cpu(kStat, gaps);
  REQUIRE(reading.ticks);
  CHECK(*reading.ticks == CpuTicks{6141, 3, 4532, 285391, 561, 7, 103, 17, 40, 2});
  CHECK(reading.count == 2u);
  CHECK(gaps.empty());
}

TEST_CASE("a cpu line that is short or not numbers is a gap, not zeros") {
  for (const std::string text : {"", "cpu\n", "cpu 1 2 3\ncpu0 1 2 3\n", "cpu 1 2 3 4 5 6 7 8 9 -1\n",
                                 "cpu a b c d e f g h i j\n", "cpu 99999999999999999999 2 3 4 5 6 7 8 9 10\n", "intr 5\n"}) {
    CAPTURE(text);
    Gaps gaps;
    CHECK_FALSE(parse_cpu(text, gaps).ticks);
    REQUIRE_FALSE(gaps.empty());
    CHECK(gaps.front().part == "cpu");
  }
}

TEST_CASE("shares are of the time between two readings and guest time is counted once") {
  const CpuTicks before{100, 10, 50, 1000, 5, 0, 0, 0, 20, 0};
  const CpuTicks after{150, 20, 60, 1025, 8, 1, 1, 0, 40, 5};  // user +50 of which guest 20, nice +10 of which guest_nice 5
  const auto shares = cpu_shares(before, after);
  REQUIRE(shares);
  CHECK(sum(*shares) == Approx(1.0));
  CHECK((*shares)[0] == Approx(30.0 / 100));  // user without guest
  CHECK((*shares)[1] == Approx(5.0 / 100));
  CHECK((*shares)[2] == Approx(10.0 / 100));
  CHECK((*shares)[3] == Approx(25.0 / 100));
  CHECK((*shares)[8] == Approx(20.0 / 100));
  CHECK((*shares)[9] == Approx(5.0 / 100));
}

TEST_CASE("a counter that goes backwards never makes a share negative") {
  const CpuTicks before{100, 10, 50, 1000, 500, 0, 0, 0, 0, 0};
  const CpuTicks after{90, 10, 60, 1030, 400, 0, 0, 0, 0, 0};  // a processor went offline; iowait fell
  const auto shares = cpu_shares(before, after);
  REQUIRE(shares);
  for (const double share : *shares) CHECK(share >= 0);
  CHECK(sum(*shares) == Approx(1.0));
  CHECK((*shares)[2] == Approx(0.25));
  CHECK((*shares)[3] == Approx(0.75));
}

TEST_CASE("no time between two readings is no shares") {
  const CpuTicks same{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK_FALSE(cpu_shares(same, same));
  CHECK_FALSE(cpu_shares(same, CpuTicks{}));
}

TEST_CASE("the largest numbers do not overflow") {
  constexpr std::uint64_t kMax = ~std::uint64_t{0};
  const auto shares = cpu_shares(CpuTicks{}, CpuTicks{kMax, kMax, kMax, kMax, kMax, kMax, kMax, kMax, 0, 0});
  REQUIRE(shares);
  CHECK(sum(*shares) == Approx(1.0));
}

TEST_CASE("a processor that appears among others is not taken for its neighbour") {
  Gaps gaps;
  const CpuReading before = parse_cpu("cpu0 0 0 0 0 0 0 0 0 0 0\ncpu2 0 0 0 0 0 0 0 0 0 0\n", gaps);
  const CpuReading after = parse_cpu(
      "cpu0 5 0 0 5 0 0 0 0 0 0\ncpu1 90 0 0 0 0 0 0 0 0 0\ncpu2 0 0 0 10 0 0 0 0 0 0\ncpu3 9 0 0 0 0 0 0 0 0 0\n", gaps);
  const CpuInterval interval = cpu_between(before, after);
  REQUIRE(interval.cores.size() == 2);
  CHECK(interval.cores[0].number == 0);
  CHECK(interval.cores[1].number == 2);
  CHECK(interval.cores[1].shares[3] == 1.0);
  REQUIRE(interval.all);
  CHECK((*interval.all)[0] == 0.25);
}

TEST_CASE("a line of a processor that is broken or out of order is told and left out") {
  Gaps gaps;
  const CpuReading reading =
      parse_cpu("cpu 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu2 1 2\ncpux 1\n", gaps);
  CHECK(reading.cores.size() == 1);
  CHECK(reading.count == 3u);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].part == "cpus");
  CHECK(gaps[0].message.find("2 lines") != std::string::npos);
}
