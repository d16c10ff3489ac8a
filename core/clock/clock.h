// The one clock of the programs.
//
// Here: wall time, monotonic time, their text form, and Clock, the interface that scheduling and retrying are given so
// that tests can turn the hands. [any thread]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::clock {

std::int64_t now_unix_ns();       // CLOCK_REALTIME: for timestamps only, it may jump
std::int64_t now_monotonic_ns();  // CLOCK_MONOTONIC: for deadlines
std::int64_t now_boottime_ns();   // CLOCK_BOOTTIME: for what ages while the machine is suspended, too

// "2026-02-03T04:05:06.789Z" (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(std::int64_t unix_ns);
// Accepts any RFC 3339 date-time, with offset and up to nine fraction digits; nullopt for anything else.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::int64_t unix_ns() const = 0;
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;
};

const Clock& system_clock();  // lives for ever

}  // namespace pganalytics::clock
