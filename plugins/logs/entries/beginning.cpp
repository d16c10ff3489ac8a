#include "plugins/logs/entries/beginning.h"

#include "plugins/logs/entries/csv_entries.h"
#include "plugins/logs/entries/report_assembly.h"
#include "plugins/logs/entries/syslog_header.h"

#include <limits>

namespace pganalytics::logs {
namespace {

Beginning of_report(std::string_view line, const LinePrefix& prefix) {
  if (!line.empty() && line.front() == '\t') return Beginning::kContinuation;
  const auto match = prefix.match(line);
  if (!match) return Beginning::kOther;
  return is_part_label(match->label) ? Beginning::kContinuation : Beginning::kEntry;
}

Beginning of_syslog(std::string_view line, const LinePrefix& prefix, std::string_view ident) {
  SyslogClock any_year(std::numeric_limits<std::int32_t>::max());
  const auto header = parse_syslog_header(line, any_year);
  if (!header) return Beginning::kOther;
  if (header->ident != ident) return Beginning::kEntry;
  constexpr std::string_view kTab = "#011";
  std::string_view text = header->text;
  const std::size_t end = text.find("] ");
  const bool numbered = !text.empty() && text.front() == '[' && end < text.find(' ');
  if (numbered) {  // "[5-2] "
    const std::size_t dash = text.find('-');
    if (dash < end && text.substr(dash + 1, end - dash - 1) != "1") return Beginning::kContinuation;
    text.remove_prefix(end + 2);
  }
  if (text.substr(0, kTab.size()) == kTab) return Beginning::kContinuation;
  return of_report(text, prefix) == Beginning::kContinuation ? Beginning::kContinuation : Beginning::kEntry;
}

}  // namespace

Beginning what_begins(std::string_view line, Format format, const LinePrefix& prefix, std::string_view ident) {
  switch (format) {
    case Format::kCsvlog: return begins_csv_record(line) ? Beginning::kEntry : Beginning::kContinuation;
    case Format::kJsonlog: return line.substr(0, 2) == "{\"" ? Beginning::kEntry : Beginning::kOther;
    case Format::kSyslog: return of_syslog(line, prefix, ident);
    case Format::kStderr: break;
  }
  return of_report(line, prefix);
}

}  // namespace pganalytics::logs
