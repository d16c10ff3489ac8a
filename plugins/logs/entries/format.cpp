#include "plugins/logs/entries/format.h"

#include "plugins/logs/entries/csv_entries.h"
#include "plugins/logs/entries/syslog_header.h"

#include <algorithm>
#include <limits>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

// "postgresql.csv", "postgresql.csv.1", "postgresql.csv-20260203"
bool has_suffix(std::string_view path, std::string_view suffix) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t at = name.rfind(suffix);
  if (at == std::string_view::npos) return false;
  const std::size_t end = at + suffix.size();
  return end == name.size() || name[end] == '.' || name[end] == '-' || name[end] == '_';
}

std::optional<Format> format_of_line(std::string_view line, const LinePrefix& prefix) {
  if (begins_csv_record(line)) return Format::kCsvlog;
  if (line.substr(0, 13) == "{\"timestamp\":") return Format::kJsonlog;
  if (prefix.match(line)) return Format::kStderr;
  SyslogClock any_year(std::numeric_limits<std::int32_t>::max());
  if (parse_syslog_header(line, any_year)) return Format::kSyslog;
  return std::nullopt;
}

}  // namespace

std::optional<Format> parse_format(std::string_view name) {
  const auto* const found = std::find(kFormatNames.begin(), kFormatNames.end(), name);
  if (found == kFormatNames.end()) return std::nullopt;
  return static_cast<Format>(found - kFormatNames.begin());
}

std::optional<Format> format_of_name(std::string_view path) {
  if (has_suffix(path, ".csv")) return Format::kCsvlog;
  if (has_suffix(path, ".json")) return Format::kJsonlog;
  return std::nullopt;
}

std::optional<Format> format_of_head(std::string_view head, const LinePrefix& prefix) {
  while (const auto line = next_line(head)) {
    if (const auto format = format_of_line(*line, prefix)) return format;
  }
  return std::nullopt;
}

Format recognise_format(std::string_view path, std::string_view head, const LinePrefix& prefix) {
  if (const auto format = format_of_name(path)) return *format;
  return format_of_head(head, prefix).value_or(Format::kStderr);
}

}  // namespace pganalytics::logs
