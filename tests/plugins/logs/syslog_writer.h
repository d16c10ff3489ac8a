// What PostgreSQL would have sent to syslog, and a daemon written into its file, of the lines that it wrote to stderr.
//
// After write_syslog() in src/backend/utils/error/elog.c (PostgreSQL 14 to 18): the lines of a report are messages of their own,
// and those of more than PG_SYSLOG_LIMIT bytes are divided at a blank. Daemons: RFC 3164 with rsyslog's escapes, RFC 5424, and
// rsyslog's file format of today with syslog_split_messages = off.
#pragma once

#include <cctype>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

enum class SyslogStyle { kRfc3164, kRfc5424, kIsoNotSplit };

// A report as the server hands it to write_syslog(): prefixed lines and continuations, each with its newline.
struct WrittenReport {
  std::string pid;
  std::string time;  // "2026-02-03 04:05:06.789"
  std::string text;
};

class SyslogWriter {
 public:
  explicit SyslogWriter(SyslogStyle style) : style_(style) {}

  std::string write(const WrittenReport& report) {
    const std::size_t number = ++numbers_[report.pid];
    if (style_ == SyslogStyle::kIsoNotSplit) {
      return header(report) + "[" + std::to_string(number) + "] " + escaped(report.text.substr(0, report.text.size() - 1)) + "\n";
    }
    std::string all;
    std::size_t chunk = 0;
    for (const std::string& part : divided(report.text)) {
      all += header(report) + "[" + std::to_string(number) + "-" + std::to_string(++chunk) + "] ";
      all += (style_ == SyslogStyle::kRfc3164 ? escaped(part) : part) + "\n";
    }
    return all;
  }

 private:
  static bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

  static std::vector<std::string> divided(std::string_view line) {
    constexpr std::size_t kLimit = 900;
    std::vector<std::string> parts;
    while (!line.empty()) {
      if (line[0] == '\n') {
        line.remove_prefix(1);
        continue;
      }
      std::size_t length = std::min(std::min(line.find('\n'), line.size()), kLimit);
      while (length < line.size() && (static_cast<unsigned char>(line[length]) & 0xC0U) == 0x80) --length;  // within a letter
      if (length < line.size() && !is_blank(line[length])) {
        std::size_t blank = length - 1;
        while (blank > 0 && !is_blank(line[blank])) --blank;
        if (blank > 0) length = blank;
      }
      parts.emplace_back(line.substr(0, length));
      line.remove_prefix(length);
    }
    return parts;
  }

  static std::string escaped(const std::string& text) {
    std::string all;
    for (const char c : text) c == '\t' ? all += "#011" : c == '\n' ? all += "#012" : all += c;
    return all;
  }

  [[nodiscard]] std::string header(const WrittenReport& report) const {
    const std::string date = report.time.substr(0, 10);
    const std::string clock = report.time.substr(11);
    switch (style_) {
      case SyslogStyle::kRfc3164: return "Feb  3 " + clock.substr(0, 8) + " db1 postgres[" + report.pid + "]: ";
      case SyslogStyle::kRfc5424: return "<134>1 " + date + "T" + clock + "Z db1 postgres " + report.pid + " - - ";
      case SyslogStyle::kIsoNotSplit: break;
    }
    return date + "T" + clock + "+00:00 db1 postgres[" + report.pid + "]: ";
  }

  const SyslogStyle style_;
  std::map<std::string, std::size_t> numbers_;  // by process
};

}  // namespace pganalytics::logs
