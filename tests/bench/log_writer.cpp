#include "tests/bench/log_writer.h"

#include <ctime>
#include <pganalytics/json.hpp>

namespace pganalytics::bench {
namespace {

constexpr std::int64_t kBegin_s = 1'796'000'000;  // 2026-11-30
constexpr unsigned kSessions = 100;
constexpr char kUser[] = "app";
constexpr char kDatabase[] = "shop";
constexpr char kApplication[] = "storefront";
constexpr char kHost[] = "10.1.2.3";
constexpr char kSessionStart[] = "2026-11-29 23:00:01 UTC";

std::string clock_text(std::int64_t unix_ms, const char* format) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm at{};
  gmtime_r(&seconds, &at);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &at)};
}

std::string time_text(std::int64_t unix_ms) {
  const std::string ms = std::to_string(1000 + unix_ms % 1000).substr(1);
  return clock_text(unix_ms, "%Y-%m-%d %H:%M:%S") + "." + ms + " UTC";
}

std::string quoted(std::string_view text) {
  if (text.empty()) return "";
  std::string all = "\"";
  for (const char c : text) all += c == '"' ? "\"\"" : std::string(1, c);
  return all + "\"";
}

std::string csv_line(const Report& report) {
  const std::string pid = std::to_string(report.pid);
  std::string all = time_text(report.unix_ms) + ",\"" + kUser + "\",\"" + kDatabase + "\"," + pid + ",\"" + kHost +
                    ":50000\",6745c0f2." + pid + "," + std::to_string(report.number) + ",\"SELECT\"," + kSessionStart +
                    ",7/123,0," + report.severity + "," + report.sqlstate + "," + quoted(report.message) + "," +
                    quoted(report.detail) + ",,,,,";
  return all + quoted(report.statement) + (report.statement.empty() ? ",,,\"" : ",8,,\"") + kApplication +
         "\",\"client backend\",,0\n";
}

std::string json_line(const Report& report) {
  JsonWriter json;
  json.begin_object().member("timestamp", time_text(report.unix_ms)).member("user", kUser).member("dbname", kDatabase);
  json.member("pid", report.pid).member("remote_host", kHost).member("remote_port", 50'000);
  json.member("session_id", "6745c0f2." + std::to_string(report.pid)).member("line_num", report.number).member("ps", "SELECT");
  json.member("session_start", kSessionStart).member("vxid", "7/123").member("txid", 0).member("error_severity", report.severity);
  if (report.sqlstate != std::string_view("00000")) json.member("state_code", report.sqlstate);
  json.member("message", report.message);
  if (!report.detail.empty()) json.member("detail", report.detail);
  if (!report.statement.empty()) json.member("statement", report.statement).member("cursor_position", 8);
  json.member("application_name", kApplication).member("backend_type", "client backend").member("query_id", 0).end_object();
  return std::string(json.text()) + "\n";
}

}  // namespace

std::string_view line_prefix_of(LogFormat format) {
  switch (format) {
    case LogFormat::kStderr: return "%m [%p] ";  // PostgreSQL's own
    case LogFormat::kStderrDebian: return "%m [%p] %q%u@%d ";
    case LogFormat::kStderrRich: return "%m [%p] %q[user=%u,db=%d,app=%a,client=%h] ";
    case LogFormat::kSyslog: return "%q%u@%d ";
    default: return "";
  }
}

// Of 1,000 reports 400 are simple statements, 300 executions with parameters, 285 durations, 10 connections, 5 errors.
Report LogWriter::next() {
  const auto number = [&](unsigned below) { return std::to_string(random_() % below); };
  Report report;
  report.unix_ms = kBegin_s * 1000 + static_cast<std::int64_t>(count_);
  report.pid = static_cast<int>(1000 + random_() % kSessions);
  report.number = count_++ / kSessions + 1;
  const auto kind = random_() % 1000;
  if (kind < 400) {
    report.message = "statement: UPDATE pgbench_accounts SET abalance = abalance + " + number(5000) +
                     " WHERE aid = " + number(1'000'000) + ";";
  } else if (kind < 700) {
    report.message = "execute P0_1: SELECT abalance FROM pgbench_accounts WHERE aid = $1";
    report.detail = "Parameters: $1 = '" + number(1'000'000) + "'";
  } else if (kind < 985) {
    report.message = "duration: " + number(90) + "." + std::to_string(100 + random_() % 900) + " ms";
  } else if (kind < 995) {
    report.message = "connection received: host=" + std::string(kHost) + " port=" + number(60'000);
  } else {
    report.severity = "ERROR";
    report.sqlstate = "42P01";
    report.message = "relation \"missing_" + number(100) + "\" does not exist at character 8";
    report.statement = "SELECT missing FROM nowhere WHERE id = " + number(1'000'000);
  }
  return report;
}

void LogWriter::write(std::string& text) {
  const Report report = next();
  switch (format_) {
    case LogFormat::kCsvlog: text += csv_line(report); break;
    case LogFormat::kJsonlog: text += json_line(report); break;
    default: write_lines(report, text);
  }
}

void LogWriter::write_lines(const Report& report, std::string& text) const {
  int chunk = 0;
  write_line(report, report.severity, report.message, ++chunk, text);
  if (!report.detail.empty()) write_line(report, "DETAIL", report.detail, ++chunk, text);
  if (!report.statement.empty()) write_line(report, "STATEMENT", report.statement, ++chunk, text);
}

void LogWriter::write_line(const Report& report, const char* label, const std::string& what, int chunk, std::string& text) const {
  const std::string pid = std::to_string(report.pid);
  if (format_ == LogFormat::kSyslog) {
    text += clock_text(report.unix_ms, "%b %e %H:%M:%S") + " db1 postgres[" + pid + "]: [" + std::to_string(report.number) + "-" +
            std::to_string(chunk) + "] ";
  } else {
    text += time_text(report.unix_ms) + " [" + pid + "] ";
  }
  if (format_ == LogFormat::kStderrRich) {
    text += std::string("[user=") + kUser + ",db=" + kDatabase + ",app=" + kApplication + ",client=" + kHost + "] ";
  } else if (format_ != LogFormat::kStderr) {
    text += std::string(kUser) + "@" + kDatabase + " ";
  }
  text += std::string(label) + ":  " + what + "\n";
}

}  // namespace pganalytics::bench
