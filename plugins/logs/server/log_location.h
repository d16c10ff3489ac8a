// Where a server's own log files are, from what it says of its settings; and whether they may be read here. Pure;
// any thread.
//
// The answers come from a server that may be hostile: a location is made of checked parts only, and local files are read only
// where the operator's `paths` allow it.
#pragma once

#include "plugins/logs/server/log_settings.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

struct LogLocation {
  Format format = Format::kStderr;  // the one that says most of those that are written: jsonlog, csvlog, stderr
  std::string folder;               // ends in "/"; absolute unless the server did not tell its data_directory
  std::string pattern;              // shell pattern of the files' paths, below folder
};

// log_filename as a shell pattern of the names that the server makes from it for a format: escapes of strftime become "*", ".log"
// at the end becomes ".csv" or ".json" (src/backend/postmaster/syslogger.c: logfile_getname).
std::string name_pattern(std::string_view log_filename, Format format);

// "logs.discovery": the server does not write log files, or does not tell where, or what it tells is no such place.
Expected<LogLocation> locate_logs(const LogSettings& settings);

// Is `folder` one that `paths` names: that of a file or pattern in it, or itself one of its items? Folders match level by level.
bool is_named_by(const std::vector<std::string>& paths, const std::string& folder);

}  // namespace pganalytics::logs
