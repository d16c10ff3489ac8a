// The command line of `pganalytics logs analyze`. Boost.Program_options stays behind this. One thread.
#pragma once

#include "plugins/logs/analyze/analysis.h"
#include "plugins/logs/entries/format.h"
#include "plugins/logs/entries/line_prefix.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::logs {

struct AnalyzeOptions {
  std::vector<std::string> paths;  // "-": standard input
  std::optional<Format> format;    // none: each file tells
  LinePrefix line_prefix;
  std::string syslog_ident;
  Analysis::Limits limits;
  std::size_t top = 0;  // of each list
  bool json = false;
};

// The words behind "analyze". `help` is set when help was asked for, and nothing else then. PGA_E_CONFIG: what is wrong.
struct ParsedCommandLine {
  std::optional<std::string> help;
  AnalyzeOptions options;
};
Expected<ParsedCommandLine> parse_command_line(const std::vector<std::string>& words);

}  // namespace pganalytics::logs
