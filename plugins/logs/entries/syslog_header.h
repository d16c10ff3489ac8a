// What a syslog daemon writes in front of each message in its files. Pure; any thread.
//
//   Feb  3 04:05:06 host postgres[42]: text            RFC 3164, "traditional"; local time, no year
//   2026-02-03T04:05:06.789+01:00 host postgres[42]: text   rsyslog's default since Debian 12, syslog-ng's ISO dates
//   <134>1 2026-02-03T04:05:06.789Z host postgres 42 - - text   RFC 5424
// each with "<PRI>" in front or without.
#pragma once

#include <cstdint>
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

// nullopt: not one of these. `newest_unix_s`: no line is younger; it tells the year where the line does not (a day is allowed
// for clocks that differ).
std::optional<SyslogHeader> parse_syslog_header(std::string_view line, std::int64_t newest_unix_s);

}  // namespace pganalytics::logs
