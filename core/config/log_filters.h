// The words of a remote document's "log_filters": which entries of the server's log the plugin logs delivers.
//
//   "ERROR"           a severity: these and no others; DEBUG1 to DEBUG5 are DEBUG, case aside
//   "lock.*"          a class of events, or a glob over them: these and no others; "other" is what is of no class
//   "!connection.*"   these classes not
//
// Both programs read them by this, the server before it stores one. Which classes there are only the plugin knows. Pure.
// [any thread]
#pragma once

#include <cstddef>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::config {

inline constexpr std::size_t kLogFiltersMax = 64;  // words; as many as the plugin's keys take

struct LogFilter {
  enum class Of { kSeverity, kClass, kExcludedClass };
  Of of = Of::kSeverity;
  std::string text;  // as the plugin's key has it: a severity in capitals, a glob without its '!'
};

// PGA_E_CONFIG: neither of these; the hint names what was probably meant.
Expected<LogFilter> parse_log_filter(std::string_view word);

// The word again, in its one form.
std::string to_word(const LogFilter& filter);

}  // namespace pganalytics::config
