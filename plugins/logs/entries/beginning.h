// What a line at the beginning of a file is, as far as it tells by itself: for entries that were divided over two files. Pure;
// any thread.
#pragma once

#include "plugins/logs/entries/format.h"
#include "plugins/logs/entries/line_prefix.h"

#include <string_view>

namespace pganalytics::logs {

enum class Beginning {
  kEntry,         // of an entry, or of another program
  kContinuation,  // of an entry's further line or part
  kOther,         // neither: the rest of a line, or output of something else
};

// `ident`: the server's syslog_ident, for syslog.
Beginning what_begins(std::string_view line, Format format, const LinePrefix& prefix, std::string_view ident);

}  // namespace pganalytics::logs
