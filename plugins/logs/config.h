// The plugin's configuration, from the JSON that the host has validated against config.schema.json. Pure; any thread.
#pragma once

#include "plugins/logs/entries/format.h"
#include "plugins/logs/entries/line_prefix.h"
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

struct Config {
  std::vector<std::string> paths;
  std::optional<Format> format;  // none: each file tells
  LinePrefix line_prefix;
  std::string syslog_ident;
  std::array<bool, kSeverityNames.size()> wanted{};  // by Severity; min_severity or severities decided
  Redaction redact = Redaction::kAll;
  bool start_at_end = true;
  std::uint64_t max_bytes_per_run = 0;
  std::size_t events_per_document = 0;
  std::int64_t idle_ms = 0;

  // Output of something else than the server's own reports counts as LOG.
  [[nodiscard]] bool wants(std::optional<Severity> severity) const {
    return wanted[static_cast<std::size_t>(severity.value_or(Severity::kLog))];
  }
};

// PGA_E_CONFIG, naming the key.
Expected<Config> parse_config(std::string_view json);

}  // namespace pganalytics::logs
