// PostgreSQL's message severities, ordered by how much they matter to a reader. Pure; any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pganalytics::logs {

// The order of client_min_messages, where LOG is below NOTICE; the server's own log_min_messages ranks LOG above ERROR,
// which would make "at least ERROR" mean "every checkpoint too". The stderr format writes DEBUG1 to DEBUG5 as DEBUG.
enum class Severity { kDebug, kLog, kInfo, kNotice, kWarning, kError, kFatal, kPanic };

inline constexpr std::array<std::string_view, 8> kSeverityNames = {"DEBUG",   "LOG",   "INFO",  "NOTICE",
                                                                   "WARNING", "ERROR", "FATAL", "PANIC"};

inline std::string_view severity_name(Severity severity) { return kSeverityNames[static_cast<std::size_t>(severity)]; }

inline std::optional<Severity> parse_severity(std::string_view word) {
  for (std::size_t i = 0; i < kSeverityNames.size(); ++i) {
    if (kSeverityNames[i] == word) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

}  // namespace pganalytics::logs
