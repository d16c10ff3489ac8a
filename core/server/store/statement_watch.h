// What the store's statements take: a histogram of all, and a line in the log for each that took too long, by its name and
// without its parameters. [any thread]
#pragma once

#include "core/telemetry/histogram.h"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace pganalytics::server::store {

// "push" of "/* pganalytics-server:push */ ...", which every file in queries/ begins with; otherwise how the text itself begins.
std::string_view statement_name(std::string_view sql);

class StatementWatch {
 public:
  // What takes longer is logged; 0: nothing is. Default 1 s.
  void set_slow_ms(std::int64_t slow_ms) { slow_ns_ = slow_ms * 1'000'000; }

  // A statement of the store ended after so long, with so many rows (-1: it failed).
  void ended(std::string_view sql, std::int64_t took_ns, std::int64_t rows);

  [[nodiscard]] const telemetry::Histogram& durations() const { return durations_; }
  [[nodiscard]] std::uint64_t slow() const { return slow_; }

 private:
  std::atomic<std::int64_t> slow_ns_{1'000'000'000};
  std::atomic<std::uint64_t> slow_{0};
  telemetry::Histogram durations_;
};

}  // namespace pganalytics::server::store
