#include "core/config/log_filters.h"

#include "core/schema/units.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace pganalytics::config {
namespace {

constexpr std::size_t kGlobBytesMax = 64;
constexpr std::string_view kNoClass = "other";

Error refused(std::string_view word, const std::string& what, std::string hint) {
  return {PGA_E_CONFIG, "config.value", "'" + std::string(word) + "' is no " + what, std::move(hint), 0};
}

bool is_glob(std::string_view text) {
  return !text.empty() && text.size() <= kGlobBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '*'; });
}

bool is_digit_of_debug(char c) { return c >= '1' && c <= '5'; }

Expected<LogFilter> parse_severity(std::string_view word) {
  static const std::vector<std::string> kSeverities = {"DEBUG", "LOG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL", "PANIC"};
  std::string severity(word);
  for (char& c : severity) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (severity.size() == 6 && severity.rfind("DEBUG", 0) == 0 && is_digit_of_debug(severity[5])) severity.pop_back();
  if (std::find(kSeverities.begin(), kSeverities.end(), severity) != kSeverities.end())
    return LogFilter{LogFilter::Of::kSeverity, std::move(severity)};
  const std::string near = schema::nearest(severity, kSeverities);
  return refused(word, "severity of PostgreSQL's log",
                 near.empty() ? "They are DEBUG, LOG, INFO, NOTICE, WARNING, ERROR, FATAL and PANIC; a class has a '.' or a '*'."
                              : "Did you mean '" + near + "'?");
}

}  // namespace

Expected<LogFilter> parse_log_filter(std::string_view word) {
  const bool excludes = !word.empty() && word.front() == '!';
  const std::string_view glob = word.substr(excludes ? 1 : 0);
  const bool names_classes = excludes || glob == kNoClass || glob.find_first_of(".*") != std::string_view::npos;
  if (!names_classes) return parse_severity(word);
  if (!is_glob(glob)) return refused(word, "class of events", "Write 1 to 64 of a to z, '_', '.' and '*': \"lock.*\".");
  return LogFilter{excludes ? LogFilter::Of::kExcludedClass : LogFilter::Of::kClass, std::string(glob)};
}

std::string to_word(const LogFilter& filter) {
  return filter.of == LogFilter::Of::kExcludedClass ? "!" + filter.text : filter.text;
}

}  // namespace pganalytics::config
