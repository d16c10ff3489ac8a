// What a syslog daemon writes in front of each message in its files.
//
//   Feb  3 04:05:06 host postgres[42]: text            RFC 3164, "traditional"; local time, no year
//   2026-02-03T04:05:06.789+01:00 host postgres[42]: text   rsyslog's default since Debian 12, syslog-ng's ISO dates
//   <134>1 2026-02-03T04:05:06.789Z host postgres 42 - - text   RFC 5424
// each with "<PRI>" in front or without.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

namespace pganalytics::logs {

struct SyslogHeader {
  std::optional<std::int64_t> unix_ms;
  std::string_view host;
  std::string_view ident;  // the program: syslog_ident
  std::string_view pid;    // empty: not said
  std::string_view text;   // the message
};

// Tells the year where the line does not: the latest in which the moment is not after `newest_unix_s`, that of the youngest line
// (a day is allowed for clocks that differ), in this host's zone. Remembers the last moment, which mktime() takes microseconds to
// tell and which many lines have. One thread.
class SyslogClock {
 public:
  explicit SyslogClock(std::int64_t newest_unix_s) : newest_unix_s_(newest_unix_s) {}

  // `wall`: month, day and time of day are set. nullopt: there is no such day.
  std::optional<std::int64_t> unix_ms(const std::tm& wall);

 private:
  const std::int64_t newest_unix_s_;
  std::tm last_wall_{};  // day 0: none
  std::optional<std::int64_t> last_unix_ms_;
};

// nullopt: not one of these.
std::optional<SyslogHeader> parse_syslog_header(std::string_view line, SyslogClock& clock);

}  // namespace pganalytics::logs
