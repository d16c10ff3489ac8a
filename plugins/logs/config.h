// The plugin's configuration, from the JSON that the host has validated against config.schema.json. Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_filter.h"
#include "plugins/logs/entries/format.h"
#include "plugins/logs/entries/line_prefix.h"
#include "plugins/logs/kind.h"
#include "plugins/logs/privacy/spans.h"
#include "plugins/logs/severity.h"

#include <array>
#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Which files are read, once the server could be asked: see config.schema.json.
enum class LogSource { kAuto, kPaths, kSql };

struct Config {
  std::vector<std::string> paths;
  std::string conninfo;  // empty: no server is asked
  std::optional<std::string> password_secret;
  LogSource source = LogSource::kAuto;
  std::optional<Format> format;          // none: each file tells
  std::optional<Format> unnamed_format;  // of files whose name does not tell; none: their first lines do
  LinePrefix line_prefix;
  bool line_prefix_auto = false;  // take the server's where it is known
  std::string syslog_ident;
  bool syslog_ident_auto = false;
  std::array<bool, kSeverityNames.size()> wanted{};  // by Severity; min_severity or severities decided
  ClassFilter classes;
  std::uint64_t full_entries_per_class = 0;
  Redaction redact = Redaction::kAll;
  bool start_at_end = true;
  std::uint64_t max_bytes_per_run = 0;
  std::size_t events_per_document = 0;
  std::int64_t idle_ms = 0;

  // Output of something else than the server's own reports counts as LOG.
  [[nodiscard]] bool wants(std::optional<Severity> severity) const {
    return wanted[static_cast<std::size_t>(severity.value_or(Severity::kLog))];
  }
  [[nodiscard]] bool wants(const Kind& kind) const { return wants(kind.severity) && classes.wants(kind.class_number); }
};

// PGA_E_CONFIG, naming the key.
Expected<Config> parse_config(std::string_view json);

}  // namespace pganalytics::logs
