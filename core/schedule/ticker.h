// When a plugin runs: ticks at an interval, on the monotonic clock, steered towards a grid on the wall clock.
//
// The grid of a plugin is every wall time that is a multiple of its interval plus an offset, a hash of (seed, plugin):
// a collector's plugins do not all run at the full minute, nor do all collectors of a fleet, and yet each series has evenly
// aligned times that survive a restart. Ticks count monotonic time, so a wall clock that jumps neither repeats nor drops
// one; each interval is lengthened or shortened by at most a tenth until the ticks lie on the grid again.
// The first tick comes soon, not an interval later: who starts a collector wants to see it work.
//
// Here: when. Not here: running anything (core/host). Pure but for the clock it is given; one owner at a time.
#pragma once

#include "core/clock/clock.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pganalytics::schedule {

struct Tick {
  std::int64_t scheduled_unix_ns = 0;  // nominal time, not when it was noticed
  std::uint64_t skipped = 0;           // earlier ticks that nobody took in time: they are gone, never made up for
};

class Ticker {
 public:
  Ticker(const clock::Clock& clock, std::string_view seed, std::string_view plugin, std::int64_t interval_ms);

  // The tick that is due, if one is.
  std::optional<Tick> take();
  [[nodiscard]] std::int64_t next_monotonic_ns() const { return next_ns_; }

  // From the last tick on at the new pace: no gap longer than the longer of both intervals. If that time is past, now.
  void set_interval(std::int64_t interval_ms);
  [[nodiscard]] std::int64_t interval_ms() const { return interval_ns_ / 1'000'000; }

 private:
  [[nodiscard]] std::int64_t unix_of(std::int64_t monotonic_ns) const;
  [[nodiscard]] std::int64_t steered(std::int64_t monotonic_ns) const;

  const clock::Clock& clock_;
  std::uint64_t hash_;
  std::int64_t interval_ns_;
  std::int64_t next_ns_;
  std::optional<std::int64_t> last_ns_;
};

}  // namespace pganalytics::schedule
