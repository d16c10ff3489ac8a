// The log of a server with log_statement = all, in each of its formats: the same reports for the same seed.
//
// What a report looks like in a format: elog.c (send_message_to_server_log, write_syslog), csvlog.c, jsonlog.c of PostgreSQL 17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace pganalytics::bench {

enum class LogFormat { kStderr, kStderrDebian, kStderrRich, kCsvlog, kJsonlog, kSyslog };

// The server's log_line_prefix; empty: the format has none.
std::string_view line_prefix_of(LogFormat format);

struct Report {
  std::int64_t unix_ms = 0;
  int pid = 0;
  std::uint64_t number = 0;  // of the process's reports
  const char* severity = "LOG";
  const char* sqlstate = "00000";
  std::string message;
  std::string detail;
  std::string statement;
};

// Reports of 100 sessions, a millisecond apart.
class LogWriter {
 public:
  LogWriter(LogFormat format, unsigned seed) : format_(format), random_(seed) {}

  // Appends the next report to `text`.
  void write(std::string& text);

 private:
  Report next();
  void write_lines(const Report& report, std::string& text) const;
  void write_line(const Report& report, const char* label, const std::string& what, int chunk, std::string& text) const;

  LogFormat format_;
  std::mt19937 random_;
  std::uint64_t count_ = 0;
};

}  // namespace pganalytics::bench
