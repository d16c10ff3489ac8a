// What a server says of its log, taken from its answer or from what was remembered of it. Pure; any thread.
#pragma once

#include "plugins/logs/entries/format.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::logs {

// Empty: the server does not tell, mostly because the role is no member of pg_monitor. Names are those of the server's settings,
// "Error Reporting and Logging" in PostgreSQL's documentation.
struct LogSettings {
  bool logging_collector = false;
  bool same_host = false;  // we reach it by a Unix socket or a loopback address
  std::vector<Format> destinations;
  std::string log_directory;  // relative to data_directory unless it is absolute
  std::string data_directory;
  std::string log_filename;
  std::string log_line_prefix;
  std::string syslog_ident;
  std::uint64_t system_identifier = 0;  // of the cluster, from its control file
  // Paths as pg_current_logfile() has them: of the formats that are written into files now.
  std::vector<std::pair<Format, std::string>> current_files;

  [[nodiscard]] bool writes(Format format) const;
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kMaxSettingBytes = 1024;  // of one value: MAXPGPATH of src/include/pg_config_manual.h

// "logs.server_answer": a value is longer than kMaxSettingBytes or holds a control character, which no setting of a log has.
// Names that are unknown are passed over.
Expected<LogSettings> parse_log_settings(const NamedValues& values, const NamedValues& current_files);

// For the plugin's state, and back; nullopt: not of this form.
std::string log_settings_json(const LogSettings& settings);
std::optional<LogSettings> parse_log_settings_json(std::string_view json);

}  // namespace pganalytics::logs
