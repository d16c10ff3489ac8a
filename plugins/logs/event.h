// One event of the server's log, and its JSON. What every format's parser produces and every document contains. Pure; any thread.
#pragma once

#include "plugins/logs/severity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// What an event's texts say, by its class: {"wait_ms", "1000.123"}. The name is of static storage.
struct Field {
  std::string_view name;
  std::string value;
  bool is_number = false;
  bool is_json = false;  // an array, as JSON
};

// An empty text or number: the log does not say. Line ends within a text are "\n" in every format.
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
  std::optional<std::int64_t> cursor_position;  // in `statement`, from 1, in characters
  std::string internal_query;                   // of a function, for example
  std::optional<std::int64_t> internal_position;
  std::string location;   // "function, file:line" of the server's source
  std::string backtrace;  // of the server, not of a statement
  std::string remote_host;
  std::optional<std::int64_t> remote_port;
  std::string session_id;                    // start and process, hexadecimal
  std::optional<std::int64_t> session_line;  // counts the process's entries; with stderr and syslog its lines that have a prefix
  std::optional<std::int64_t> session_start_unix_ms;
  std::string command;  // what the process calls itself: "SELECT", "idle"
  std::string virtual_transaction;
  std::optional<std::int64_t> transaction;  // none while nothing was written
  std::string backend_type;
  std::optional<std::int64_t> leader_pid;  // of a parallel worker
  std::optional<std::int64_t> query_id;
  std::string_view class_name;  // of static storage; empty: none that we know
  std::vector<Field> fields;
  std::string plan;                   // JSON array of nodes
  std::uint64_t truncated_bytes = 0;  // of text that was read and is not here
  std::uint64_t sampled_one_in = 1;   // it stands for so many of its kind; the others were left out
};

// The event as a JSON object of at most `max_bytes` (no less than 2 KiB): texts are shortened, and counted in truncated_bytes,
// until it fits.
std::string event_json(const Event& event, std::size_t max_bytes);

}  // namespace pganalytics::logs
