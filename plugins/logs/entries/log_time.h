// When an entry was logged: the text of %m, %t or %n as Unix time. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pganalytics::logs {

// "2026-02-03 04:05:06.789 CET" in milliseconds since the epoch. UTC, GMT and numeric zones ("+02", "-0330") are exact; any
// other abbreviation only if this host's own time zone uses it at that time, since abbreviations are not unique. nullopt
// otherwise.
std::optional<std::int64_t> parse_log_time(std::string_view text);

// "1770091506.789"
std::optional<std::int64_t> parse_log_epoch(std::string_view text);

}  // namespace pganalytics::logs
