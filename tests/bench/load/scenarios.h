// What a fleet is made to do. Each scenario is bounded in time, and gives up on what is not answered then.
#pragma once

#include <csignal>
#include <memory>
#include <vector>

#include "tests/bench/load/collector.h"
#include "tests/bench/load/site.h"

namespace pganalytics::bench {

// Set by a signal's handler: what runs throws, so that the server is stopped.
extern volatile std::sig_atomic_t stop_asked;

class Scenarios {
 public:
  Scenarios(Network& network, const Documents& documents, const Site& site, std::vector<Identity>& identities);

  // One push of each, some at a time: connections, series and schemas are there afterwards.
  void warm_up();
  // Each pushes once an interval, spread evenly over it.
  Outcomes steady(double seconds, double interval_s);
  // All connections end at once, and all collectors come again; until each had a push answered.
  Outcomes storm();
  // As steady, beside `slow` clients that send a byte at a time and fetch their answers late; the figures are of the others.
  Outcomes slow(double seconds, double interval_s, unsigned slow);

 private:
  struct Begin;
  [[nodiscard]] Begin begin();
  Outcomes outcomes(const char* scenario, const Begin& begin);
  void run(double at_most_s, const std::function<bool()>& over);
  void schedule(unsigned index, std::int64_t due_ns, std::int64_t interval_ns, std::int64_t end_ns);
  void crawl(unsigned index, std::int64_t end_ns);

  Network& network_;
  const Documents& documents_;
  const Site& site_;
  std::vector<Identity>& identities_;
  Counts counts_;
  std::vector<std::shared_ptr<Collector>> collectors_;
  std::vector<std::unique_ptr<boost::asio::steady_timer>> timers_;
  unsigned busy_ = 0;  // collectors with a push on its way or planned
};

}  // namespace pganalytics::bench
