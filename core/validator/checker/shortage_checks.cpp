#include "core/validator/checker/shortage_checks.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/clock/clock.h"
#include "core/validator/checker/failing_allocator.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

constexpr long kAllocationsMax = 400;
constexpr std::int64_t kAllocationsNs = 3'000'000'000;
constexpr int kDisturbedRuns = 20;

// No descriptor can be opened while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = dup(STDIN_FILENO);
    close(lowest_free);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Signals that interrupt whatever waits, thousands a second.
class Disturbance {
 public:
  Disturbance() {
    struct sigaction quiet {};
    quiet.sa_handler = [](int) {};  // without SA_RESTART
    sigaction(SIGALRM, &quiet, nullptr);
    const itimerval often{{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  Disturbance(const Disturbance&) = delete;
  Disturbance& operator=(const Disturbance&) = delete;
  ~Disturbance() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
  }
};

}  // namespace

Finding check_shortages(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  stage.collect_well(instance);
  {
    const NoDescriptors shortage;
    now_at("a run that can open no descriptor");
    instance.collect();
  }
  stage.collect_well(instance);
  {
    const Disturbance disturbance;
    now_at("a run that signals interrupt");
    for (int i = 0; i < kDisturbedRuns; ++i) instance.collect();
  }
  now_at("a run after the shortages");
  const testing::CollectResult after = instance.collect();
  if (after.returned == PGA_OK) return Finding::pass();
  return Finding::fail("after the shortages, " + words_for("collect()", after.returned, after.error_message));
}

// A whole life for each allocation that may fail in it. A status is fine, a crash is not.
Finding check_failing_allocations(Subject& subject) {
  if (!can_fail_allocations()) return Finding::skip("memory cannot be made to run short in this build");
  Stage stage(subject);
  const pga_plugin* const plugin = plugin_short_of_memory(subject.plugin());
  const std::int64_t end_ns = clock::now_monotonic_ns() + kAllocationsNs;
  long n = 1;
  for (; n <= kAllocationsMax && clock::now_monotonic_ns() < end_ns; ++n) {
    now_at(("a life whose allocation " + std::to_string(n) + " fails").c_str());
    fail_allocation(n);
    {
      testing::Instance instance = stage.host.create(plugin);
      if (instance.created() && instance.configure(stage.configurations.base())) instance.collect();
    }
    const bool had_so_many = allocation_failed();
    fail_allocation(0);
    if (!had_so_many) break;
  }
  return Finding::pass(std::to_string(n - 1) + " allocations failed in turn");
}

}  // namespace pganalytics::validator
