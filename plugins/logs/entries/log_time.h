// When an entry was logged: the text of %m, %t or %n as Unix time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pganalytics::logs {

// The offsets of this host's time zone, which mktime() takes a microsecond to tell and which every line needs: remembered for the
// minutes that were asked for last. An object is good as long as the host's zone stays; one thread.
class HostZoneMemory {
 public:
  // Seconds east of Greenwich while the host's clock shows this minute and calls its zone `zone`; nullopt: it never does. The
  // abbreviation settles which of the two is meant in the hour that comes twice.
  std::optional<std::int64_t> east_s(std::int64_t wall_minutes, std::string_view zone);

 private:
  static constexpr std::size_t kMinutes = 64;  // sessions began at so many different ones, of those that log now

  struct Minute {
    std::int64_t wall_minutes = 0;
    std::array<char, 14> zone{};
    unsigned char zone_length = 0;  // 0: nothing is remembered here
    bool known = false;
    std::int64_t east_s = 0;
  };
  std::array<Minute, kMinutes> minutes_;
};

// From 1970-01-01, in the calendar of today at all times; month and day count from 1. Any thread.
std::int64_t days_from_epoch(int year, int month, int day);

// "2026-02-03 04:05:06.789 CET" in milliseconds since the epoch. UTC, GMT and numeric zones ("+02", "-0330") are exact; any
// other abbreviation only if this host's own time zone uses it at that time, since abbreviations are not unique. nullopt
// otherwise.
std::optional<std::int64_t> parse_log_time(std::string_view text, HostZoneMemory& host_zone);

// A single one. Any thread.
std::optional<std::int64_t> parse_log_time(std::string_view text);

// "1770091506.789". Any thread.
std::optional<std::int64_t> parse_log_epoch(std::string_view text);

}  // namespace pganalytics::logs
