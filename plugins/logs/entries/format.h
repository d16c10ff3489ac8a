// Which of the server's formats a log file is in. Pure; any thread.
#pragma once

#include "plugins/logs/entries/line_prefix.h"

#include <array>
#include <optional>
#include <string_view>

namespace pganalytics::logs {

enum class Format { kStderr, kCsvlog, kJsonlog, kSyslog };

// The words of log_destination.
inline constexpr std::array<std::string_view, 4> kFormatNames = {"stderr", "csvlog", "jsonlog", "syslog"};

inline std::string_view format_name(Format format) { return kFormatNames[static_cast<std::size_t>(format)]; }
std::optional<Format> parse_format(std::string_view name);

// By the name's .csv or .json, which the server's own log files have.
std::optional<Format> format_of_name(std::string_view path);

// By the first line of a file's beginning that can be of one format only; nullopt: there is none.
std::optional<Format> format_of_head(std::string_view head, const LinePrefix& prefix);

// `head`: the file's beginning; a last line that is not whole may be in it. By the name's .csv or .json, which the server's own
// log files have; else by the first line that can be of one format only; stderr if there is none, and its line_prefix problem
// says so.
Format recognise_format(std::string_view path, std::string_view head, const LinePrefix& prefix);

}  // namespace pganalytics::logs
