// log_line_prefix, compiled: finds out of each line which process wrote it, when, and for whom.
//
// Every escape of PostgreSQL 12 to 19 is understood, with padding (%-5p). Not here: what follows the prefix (stderr_entries),
// what the time means (log_time). Immutable once compiled; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Views into the line. Empty: the prefix does not say.
struct PrefixMatch {
  std::string_view time;   // %m or %t
  std::string_view epoch;  // %n
  std::string_view pid;
  std::string_view user;
  std::string_view database;
  std::string_view application;
  std::string_view sqlstate;
  std::string_view remote;  // %r, or %h without a port: "::1(5432)"
  std::string_view session_id;
  std::string_view session_line;
  std::string_view session_start;
  std::string_view command;
  std::string_view virtual_transaction;
  std::string_view transaction;
  std::string_view backend_type;
  std::string_view leader_pid;
  std::string_view query_id;
  std::string_view label;  // "ERROR", "DETAIL": what comes after the prefix
  std::string_view text;   // what comes after the label and its ":  "
};

class LinePrefix {
 public:
  LinePrefix() = default;  // the empty prefix

  // PGA_E_CONFIG for an escape PostgreSQL does not have.
  static Expected<LinePrefix> compile(std::string_view line_prefix);

  // nullopt: the line does not begin with this prefix and one of the server's labels.
  [[nodiscard]] std::optional<PrefixMatch> match(std::string_view line) const;

 private:
  struct Token {
    char escape = 0;      // 0: literal
    std::string literal;  // of a literal
    int width = 0;        // padding; negative: to the left
  };
  class Attempt;

  std::vector<Token> tokens_;
  bool tells_entries_apart_ = false;  // has a time or a process: then a label in another language is believed
};

}  // namespace pganalytics::logs
