#include "plugins/logs/server/log_location.h"

#include <fnmatch.h>

#include <algorithm>

namespace pganalytics::logs {
namespace {

Error cannot_tell(const std::string& why, const std::string& hint = "") {
  return Error{PGA_E_FAIL, "logs.discovery", "cannot tell where the server's log files are: " + why, hint, 0};
}

std::string_view suffix_of(Format format) { return format == Format::kCsvlog ? ".csv" : ".json"; }

void append_literal(std::string& pattern, char c) {
  if (std::string_view("*?[]\\").find(c) != std::string_view::npos) pattern += '\\';
  pattern += c;
}

std::string literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) append_literal(pattern, c);
  return pattern;
}

void append_any(std::string& pattern) {
  const bool escaped = pattern.size() > 1 && pattern[pattern.size() - 2] == '\\';
  if (pattern.empty() || pattern.back() != '*' || escaped) pattern += '*';
}

// No part of a path that leads back, and none that is hidden in a name.
bool leads_only_down(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part == ".." || part == ".") return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

std::string without_slashes_at_end(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Of what is written now where the server tells it, else of what its settings say.
std::optional<Format> best_format(const LogSettings& settings) {
  for (const Format format : {Format::kJsonlog, Format::kCsvlog, Format::kStderr}) {
    const bool current = std::any_of(settings.current_files.begin(), settings.current_files.end(),
                                     [&](const auto& file) { return file.first == format; });
    if (settings.current_files.empty() ? settings.writes(format) : current) return format;
  }
  return std::nullopt;
}

}  // namespace

std::string name_pattern(std::string_view log_filename, Format format) {
  constexpr std::string_view kLog = ".log";
  const bool has_log = log_filename.size() > kLog.size() && log_filename.substr(log_filename.size() - kLog.size()) == kLog;
  std::string_view stem = log_filename;
  if (has_log && format != Format::kStderr) stem.remove_suffix(kLog.size());
  std::string pattern;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    if (stem[i] != '%') {
      append_literal(pattern, stem[i]);
      continue;
    }
    ++i;
    while (i < stem.size() && (stem[i] == 'E' || stem[i] == 'O')) ++i;  // pg_strftime() passes over them
    i < stem.size() && stem[i] == '%' ? append_literal(pattern, '%') : append_any(pattern);
  }
  if (format != Format::kStderr) pattern += suffix_of(format);
  return pattern;
}

Expected<LogLocation> locate_logs(const LogSettings& settings) {
  if (!settings.logging_collector) return cannot_tell("logging_collector is off, so that it writes none itself");
  if (settings.log_directory.empty() || settings.log_filename.empty()) {
    return cannot_tell("it does not show log_directory and log_filename to this role", "GRANT pg_monitor to it.");
  }
  const auto format = best_format(settings);
  if (!format) return cannot_tell("it writes neither stderr nor csvlog nor jsonlog");
  std::string folder = without_slashes_at_end(settings.log_directory);
  if (folder.front() != '/' && !settings.data_directory.empty()) {
    folder = without_slashes_at_end(settings.data_directory) + "/" + folder;
  }
  if (!leads_only_down(folder) || folder == "/") return cannot_tell("'" + folder + "' is no folder of log files");
  if (settings.log_filename.find('/') != std::string::npos || settings.log_filename.front() == '.') {
    return cannot_tell("'" + settings.log_filename + "' is no name of a log file in a folder",
                       "Set log_filename to a name without folders.");
  }
  LogLocation location;
  location.format = *format;
  location.folder = folder + "/";
  location.pattern = literal(location.folder) + name_pattern(settings.log_filename, *format);
  return location;
}

bool is_named_by(const std::vector<std::string>& paths, const std::string& folder) {
  const std::string wanted = without_slashes_at_end(folder);
  if (wanted.size() < 2 || wanted.front() != '/' || !leads_only_down(wanted)) return false;
  const auto fits = [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), wanted.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
  };
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
    const std::string item = without_slashes_at_end(path);
    const std::size_t slash = item.rfind('/');
    return fits(item) || (slash != std::string::npos && slash > 0 && fits(item.substr(0, slash)));
  });
}

}  // namespace pganalytics::logs
