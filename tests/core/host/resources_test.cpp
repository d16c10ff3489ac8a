// Figures of real processes, and the verdict on made-up ones.
#include "core/host/resources.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <future>
#include <thread>

#include "core/clock/clock.h"
#include "tests/core/host/hand_clock.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

Confinement ceilings(std::int64_t memory_max_bytes, std::uint32_t cpu_max_percent) {
  Confinement confinement;
  confinement.memory_max_bytes = memory_max_bytes;
  confinement.cpu_max_percent = cpu_max_percent;
  return confinement;
}

void spin(std::int64_t cpu_ms) {
  const std::clock_t until = std::clock() + cpu_ms * CLOCKS_PER_SEC / 1000;
  while (std::clock() < until) {
  }
}

}  // namespace

TEST_CASE("memory and processor time of a process are what it took") {
  const auto before = usage_of(getpid(), false);
  REQUIRE(before);
  constexpr std::size_t kBytes = 64 * kMiB;
  void* const memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  std::memset(memory, 1, kBytes);
  spin(200);
  const auto after = usage_of(getpid(), false);
  const auto share = proportional_bytes(getpid());
  munmap(memory, kBytes);
  REQUIRE(after);
  CHECK(after->rss_bytes - before->rss_bytes > 60 * kMiB);
  CHECK(after->rss_bytes - before->rss_bytes < 80 * kMiB);
  CHECK(after->cpu_ms - before->cpu_ms >= 180);
  REQUIRE(share);
  CHECK(*share > 60 * kMiB);
  CHECK(*share <= after->rss_bytes + 8 * kMiB);
}

TEST_CASE("threads are counted, and thousands are too many") {
  const auto alone = usage_of(getpid(), false);
  REQUIRE(alone);
  std::promise<void> end;
  std::thread another([done = end.get_future()] { done.wait(); });
  const auto both = usage_of(getpid(), false);
  end.set_value();
  another.join();
  REQUIRE(both);
  CHECK(both->threads == alone->threads + 1);

  Ceilings verdict("p", ceilings(0, 0), 60'000);
  CHECK_FALSE(verdict.judge({0, 0, 100}, 0));
  const auto over = verdict.judge({0, 0, 10'001}, 0);
  REQUIRE(over);
  CHECK(over->code == "worker.threads");
  CHECK(over->message.find("10001 threads") != std::string::npos);
}

TEST_CASE("what a process started counts with it, children of children too") {
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    spin(150);
    for (;;) pause();
  }
  const auto children_have_spun = [&] {
    const auto alone = usage_of(child, false), all = usage_of(child, true);
    return alone && all && alone->cpu_ms >= 140 && all->cpu_ms >= alone->cpu_ms + 140 && all->rss_bytes > alone->rss_bytes;
  };
  CHECK(testing::eventually(children_have_spun));
  const auto all = usage_of(getpid(), true);
  REQUIRE(all);
  CHECK(all->rss_bytes > usage_of(getpid(), false)->rss_bytes);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_CASE("a process that is gone has no usage") {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  CHECK_FALSE(usage_of(child, true));
  CHECK_FALSE(proportional_bytes(child));
}

TEST_CASE("memory is over its ceiling when two samples in a row are") {
  HandClock clock;
  Ceilings judge("acme", ceilings(100 * kMiB, 0), 60'000);
  CHECK_FALSE(judge.judge({101 * kMiB, 0}, clock.monotonic));
  CHECK_FALSE(judge.judge({100 * kMiB, 0}, clock.monotonic));
  CHECK_FALSE(judge.judge({101 * kMiB, 0}, clock.monotonic));
  const auto over = judge.judge({300 * kMiB, 0}, clock.monotonic);
  REQUIRE(over);
  CHECK(over->code == "worker.memory");
  CHECK(over->message == "its worker held 300 MiB of memory, its ceiling is 100 MiB");
  CHECK(over->hint.find("memory_max in [plugins.acme]") != std::string::npos);
}

TEST_CASE("processor time is over its ceiling when a whole window is") {
  HandClock clock;
  Ceilings judge("acme", ceilings(0, 50), 60'000);
  std::int64_t cpu_ms = 0;
  const auto work = [&](int percent) {
    clock.advance_ms(2000);
    cpu_ms += 20 * percent;
    return judge.judge({0, cpu_ms}, clock.monotonic);
  };
  // A burst of half a minute between quiet times is no offence.
  for (int i = 0; i < 30; ++i) REQUIRE_FALSE(work(10));
  for (int i = 0; i < 15; ++i) REQUIRE_FALSE(work(80));
  for (int i = 0; i < 30; ++i) REQUIRE_FALSE(work(10));
  for (int i = 0; i < 60; ++i) REQUIRE_FALSE(work(50));
  std::optional<Error> over;
  int samples = 0;
  for (; !over && samples < 40; ++samples) over = work(100);
  REQUIRE(over);
  CHECK(samples >= 1);
  CHECK(over->code == "worker.cpu");
  CHECK(over->message.find("% of a core for 60 s, its ceiling is 50 %") != std::string::npos);
  CHECK(over->hint.find("cpu_max in [plugins.acme]") != std::string::npos);
}

TEST_CASE("a worker younger than the window is not judged by a part of it") {
  HandClock clock;
  Ceilings judge("acme", ceilings(0, 50), 60'000);
  std::int64_t cpu_ms = 0;
  for (int i = 0; i < 29; ++i) {
    clock.advance_ms(2000);
    REQUIRE_FALSE(judge.judge({0, cpu_ms += 2000}, clock.monotonic));
  }
}

TEST_CASE("a ceiling of zero is none") {
  HandClock clock;
  Ceilings judge("acme", ceilings(0, 0), 60'000);
  for (int i = 0; i < 100; ++i) {
    clock.advance_ms(2000);
    REQUIRE_FALSE(judge.judge({1'000'000 * kMiB, i * 100'000}, clock.monotonic));
  }
}
