#include "plugins/logs/entries/make_source.h"

#include "plugins/logs/entries/csv_entries.h"
#include "plugins/logs/entries/json_entries.h"
#include "plugins/logs/entries/stderr_entries.h"
#include "plugins/logs/entries/syslog_entries.h"

namespace pganalytics::logs {

std::unique_ptr<EntrySource> make_source(Format format, const LinePrefix& prefix, const std::string& syslog_ident,
                                         const SourcePlace& place) {
  switch (format) {
    case Format::kCsvlog: return std::make_unique<CsvEntries>(place.begin, place.resynchronise);
    case Format::kJsonlog: return std::make_unique<JsonEntries>(place.begin, place.resynchronise);
    case Format::kSyslog:
      return std::make_unique<SyslogEntries>(prefix, syslog_ident, place.newest_unix_s, place.begin, place.resynchronise);
    case Format::kStderr: break;
  }
  return std::make_unique<StderrEntries>(prefix, place.begin, place.resynchronise);
}

}  // namespace pganalytics::logs
