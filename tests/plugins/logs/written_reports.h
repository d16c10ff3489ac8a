// A log that a server wrote to stderr, taken apart into its reports.
#pragma once

#include "plugins/logs/severity.h"
#include "tests/plugins/logs/syslog_writer.h"

#include <sstream>
#include <string>
#include <vector>

namespace pganalytics::logs {

// `text` has a log_line_prefix of fields that each end in '|': the time first, the process second.
inline std::vector<WrittenReport> reports_of(const std::string& text) {
  std::vector<WrittenReport> reports;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool has_prefix = line[0] != '\t';
    const std::size_t pid_at = line.find('|') + 1;
    const std::size_t label_end = line.find(":  ");
    const std::string label =
        has_prefix ? line.substr(line.rfind('|', label_end) + 1, label_end - line.rfind('|', label_end) - 1) : "";
    if (parse_severity(label)) reports.push_back({line.substr(pid_at, line.find('|', pid_at) - pid_at), line.substr(0, 23), ""});
    reports.back().text += line + "\n";
  }
  return reports;
}

}  // namespace pganalytics::logs
