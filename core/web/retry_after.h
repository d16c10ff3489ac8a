// When the server says "later": the Retry-After and Date headers (RFC 9110, sections 10.2.3 and 5.6.7).
//
// Pure functions over foreign bytes; nothing here waits. [any thread]
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pganalytics::web {

constexpr std::int64_t kRetryAfterMinMs = 1'000;
constexpr std::int64_t kRetryAfterMaxMs = 3'600'000;

// An IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT") as Unix time in nanoseconds. The two obsolete forms are not taken: no server
// sends them.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// Milliseconds to wait, clamped to 1 s .. 1 h; 0 if the header is absent or makes no sense. A date is taken relative to the
// answer's own Date, so that a wrong clock here does not count; without one, relative to now_unix_ns.
std::int64_t parse_retry_after_ms(std::string_view retry_after, std::string_view date, std::int64_t now_unix_ns);

}  // namespace pganalytics::web
