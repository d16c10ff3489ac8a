// One event of the server's log, and its JSON. What every format's parser produces and every document contains. Pure; any thread.
#pragma once

#include "plugins/logs/severity.h"

#include <cstdint>
#include <optional>
#include <string>

namespace pganalytics::logs {

// An empty string means that the log does not say; it becomes null.
struct Event {
  std::optional<std::int64_t> unix_ms;
  std::string time_text;  // the time as logged, kept only when unix_ms could not be told from it
  std::optional<std::int64_t> pid;
  std::optional<Severity> severity;  // none: output of something else than the server's own reports
  std::string sqlstate;
  std::string user;
  std::string database;
  std::string application;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
  std::string statement;
  std::uint64_t truncated_bytes = 0;  // of text that was read and is not here
};

// The event as a JSON object of at most `max_bytes` (no less than 2 KiB): texts are shortened, and counted in truncated_bytes,
// until it fits.
std::string event_json(const Event& event, std::size_t max_bytes);

}  // namespace pganalytics::logs
