// The source of entries that a file's format needs. Any thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/format.h"
#include "plugins/logs/entries/line_prefix.h"

#include <cstdint>
#include <memory>
#include <string>

namespace pganalytics::logs {

// From where in the file it reads, and what it has to know of it.
struct SourcePlace {
  std::uint64_t begin = 0;         // offset of the first line
  bool resynchronise = false;      // that line is within an entry which is passed over
  std::int64_t newest_unix_s = 0;  // see SyslogClock
};

// `prefix` must outlive the source.
std::unique_ptr<EntrySource> make_source(Format format, const LinePrefix& prefix, const std::string& syslog_ident,
                                         const SourcePlace& place);

}  // namespace pganalytics::logs
