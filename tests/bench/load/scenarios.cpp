#include "tests/bench/load/scenarios.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "core/clock/clock.h"

namespace pganalytics::bench {
namespace {

constexpr double kNs = 1e9;
constexpr unsigned kWarmAtOnce = 32;
constexpr double kWarmUpMost_s = 1'800, kStormMost_s = 300, kLate_s = 30;
constexpr double kTellEach_s = 5;
constexpr auto kSlowPause = std::chrono::milliseconds(20);

}  // namespace

volatile std::sig_atomic_t stop_asked = 0;

struct Scenarios::Begin {
  std::int64_t ns;
  double server_s, client_s, database_s;
};

Scenarios::Scenarios(Network& network, const Documents& documents, const Site& site, std::vector<Identity>& identities)
    : network_(network), documents_(documents), site_(site), identities_(identities) {
  for (unsigned i = 0; i < identities_.size(); ++i) {
    collectors_.push_back(std::make_shared<Collector>(network_, documents_, identities_[i], i, counts_));
    timers_.push_back(std::make_unique<boost::asio::steady_timer>(network_.io));
  }
}

Scenarios::Begin Scenarios::begin() {
  counts_ = {};
  busy_ = 0;
  return {clock::now_monotonic_ns(), usage_of(site_.pid()).cpu_s, usage_of(getpid()).cpu_s, site_.database_cpu_s()};
}

Outcomes Scenarios::outcomes(const char* scenario, const Begin& begin) {
  Outcomes outcomes;
  outcomes.scenario = scenario;
  outcomes.collectors = static_cast<unsigned>(collectors_.size());
  outcomes.seconds = static_cast<double>(clock::now_monotonic_ns() - begin.ns) / kNs;
  const Usage server = usage_of(site_.pid());
  outcomes.server_cpu = (server.cpu_s - begin.server_s) / outcomes.seconds;
  outcomes.client_cpu = (usage_of(getpid()).cpu_s - begin.client_s) / outcomes.seconds;
  outcomes.database_cpu = (site_.database_cpu_s() - begin.database_s) / outcomes.seconds;
  outcomes.server_rss_mib = server.rss_mib;
  outcomes.counts = counts_;
  return outcomes;
}

// Lets the network work until `over` or so long, and tells now and then how far it is.
void Scenarios::run(double at_most_s, const std::function<bool()>& over) {
  const std::int64_t end = clock::now_monotonic_ns() + static_cast<std::int64_t>(at_most_s * kNs);
  std::int64_t tell = clock::now_monotonic_ns() + static_cast<std::int64_t>(kTellEach_s * kNs);
  network_.io.restart();
  while (!over() && clock::now_monotonic_ns() < end) {
    if (network_.io.run_one_for(std::chrono::milliseconds(100)) == 0 && network_.io.stopped()) network_.io.restart();
    if (stop_asked != 0) throw std::runtime_error("stopped by a signal");
    if (clock::now_monotonic_ns() < tell) continue;
    std::fprintf(stderr, "%zu pushes answered, %llu errors, %u at work\n", counts_.answer_ms.size(),
                 static_cast<unsigned long long>(counts_.errors()), busy_);
    tell += static_cast<std::int64_t>(kTellEach_s * kNs);
  }
}

void Scenarios::warm_up() {
  counts_ = {};
  busy_ = 0;
  unsigned next = 0;
  std::function<void()> one = [&] {
    if (next >= collectors_.size()) return;
    collectors_[next++]->push(clock::now_monotonic_ns(), [&] {
      --busy_;
      one();
    });
    ++busy_;
  };
  for (unsigned i = 0; i < kWarmAtOnce; ++i) one();
  run(kWarmUpMost_s, [&] { return busy_ == 0; });
  if (busy_ > 0) throw std::runtime_error("the first pushes are not answered");
}

void Scenarios::schedule(unsigned index, std::int64_t due_ns, std::int64_t interval_ns, std::int64_t end_ns) {
  if (due_ns >= end_ns) {
    --busy_;
    return;
  }
  auto& timer = *timers_[index];
  timer.expires_after(std::chrono::nanoseconds(std::max<std::int64_t>(0, due_ns - clock::now_monotonic_ns())));
  timer.async_wait([this, index, due_ns, interval_ns, end_ns](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    collectors_[index]->push(due_ns, [=] { schedule(index, due_ns + interval_ns, interval_ns, end_ns); });
  });
}

Outcomes Scenarios::steady(double seconds, double interval_s) {
  const Begin started = begin();
  const auto interval = static_cast<std::int64_t>(interval_s * kNs);
  const std::int64_t end = started.ns + static_cast<std::int64_t>(seconds * kNs);
  const auto count = static_cast<std::int64_t>(collectors_.size());
  busy_ = static_cast<unsigned>(count);
  for (unsigned i = 0; i < collectors_.size(); ++i) schedule(i, started.ns + interval * i / count, interval, end);
  run(seconds + kLate_s, [&] { return busy_ == 0; });
  Outcomes result = outcomes("steady", started);
  result.targets = {{"p95 under 100 ms (10 collectors)", share_below(result.counts.answer_ms, 0.95, 100)},
                    {"p99 at most 500 ms", share_below(result.counts.answer_ms, 0.99, 500)},
                    {"no 5xx", result.counts.of_5xx() == 0},
                    {"no error", result.counts.errors() == 0},
                    {"all answered in time", busy_ == 0},
                    {"server's RSS at most 1 GiB", result.server_rss_mib <= 1'024}};
  return result;
}

Outcomes Scenarios::storm() {
  const Begin started = begin();
  for (const auto& collector : collectors_) collector->drop();
  busy_ = static_cast<unsigned>(collectors_.size());
  for (const auto& collector : collectors_) collector->push(started.ns, [this] { --busy_; });
  run(kStormMost_s, [&] { return busy_ == 0; });
  Outcomes result = outcomes("storm", started);
  result.targets = {{"drained in 120 s", busy_ == 0 && result.seconds <= 120},
                    {"no 5xx", result.counts.of_5xx() == 0},
                    {"server's RSS at most 1 GiB", result.server_rss_mib <= 1'024}};
  return result;
}

// One request after another, each on a connection of its own, whatever the server makes of it.
void Scenarios::crawl(unsigned index, std::int64_t end_ns) {
  if (clock::now_monotonic_ns() >= end_ns) return;
  const auto link = std::make_shared<Link>(network_, static_cast<unsigned>(identities_.size()) + index);
  link->open(identities_[index % identities_.size()].certificate_pem, [this, link, index, end_ns](bool ok) {
    if (!ok) return crawl(index, end_ns);
    const Identity& identity = identities_[index % identities_.size()];
    const std::string headers = "Content-Type: application/json\r\n";
    link->trickle(request_text("POST", "/api/v1/metrics/push", identity.token, headers, std::string(4'000, ' ')), kSlowPause,
                  [this, index, end_ns](const Answer*) { crawl(index, end_ns); });
  });
}

Outcomes Scenarios::slow(double seconds, double interval_s, unsigned slow) {
  const std::int64_t end = clock::now_monotonic_ns() + static_cast<std::int64_t>(seconds * kNs);
  for (unsigned i = 0; i < slow; ++i) crawl(i, end);
  Outcomes result = steady(seconds, interval_s);
  result.scenario = "slow: " + std::to_string(slow) + " slow clients beside";
  return result;
}

}  // namespace pganalytics::bench
