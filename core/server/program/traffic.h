// What was answered: counted by route and status, and told to the log. [any thread]
//
// Routes are those of the table (core/server/api/routes.h), never paths: there are as many numbers as the program has routes.
#pragma once

#include "core/server/http/handler.h"
#include "core/telemetry/histogram.h"
#include "core/telemetry/metric_text.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace pganalytics::server::program {

class Traffic {
 public:
  Traffic();

  // An http::Observer. A line in the log for each that is a fault of ours, 5xx; for all others at level debug, or info where all
  // are wanted. 503 is among the others: an overload or a database that is away must not bring a line a request with it.
  void note(const http::Answered& answered);
  void log_all(bool all) { log_all_ = all; }
  void write(telemetry::MetricText& text) const;

 private:
  struct OfRoute {
    std::array<std::atomic<std::uint64_t>, 500> by_status{};  // from 100 on
    telemetry::Histogram durations;
  };
  std::unordered_map<std::string_view, std::unique_ptr<OfRoute>> routes_;  // never changes; "" is none of them
  std::atomic<bool> log_all_{false};
};

}  // namespace pganalytics::server::program
