#include "plugins/logs/analyze/json_report.h"

#include "plugins/logs/analyze/conditions.h"

#include <pganalytics/json.hpp>
#include <pganalytics/plugin.hpp>
#include <string_view>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kUnknown = "none";  // of lines without a severity

void write_time(JsonWriter& json, const char* name, std::optional<std::int64_t> unix_ms) {
  json.key(name);
  unix_ms ? json.value(rfc3339_ms(*unix_ms * 1'000'000)) : json.value(nullptr);
}

void write_occurrences(JsonWriter& json, const Occurrences& occurrences) {
  json.member("count", occurrences.count);
  write_time(json, "first", occurrences.first_unix_ms);
  write_time(json, "last", occurrences.last_unix_ms);
}

void write_measure(JsonWriter& json, const char* name, const char* unit, const Measure& measure) {
  json.key(name).begin_object().member("count", measure.count);
  json.member("total_" + std::string(unit), measure.total).member("mean_" + std::string(unit), measure.mean());
  json.member("max_" + std::string(unit), measure.most).end_object();
}

void write_files(JsonWriter& json, const Figures& figures) {
  json.key("files").begin_array();
  for (const FileFigures& file : figures.files) {
    json.begin_object().member("path", file.path).member("format", file.format).member("bytes", file.bytes);
    json.member("lines", file.lines).member("other_lines", file.other_lines).key("problems").begin_array();
    for (const std::string& problem : file.problems) json.value(problem);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_counts(JsonWriter& json, const Figures& figures) {
  json.key("entries").begin_object();
  write_occurrences(json, figures.entries);
  json.member("outside", figures.outside).end_object();
  json.key("severities").begin_object();
  for (std::size_t i = 0; i < figures.severities.size(); ++i) {
    if (figures.severities[i] > 0) json.member(i < kSeverityNames.size() ? kSeverityNames[i] : kUnknown, figures.severities[i]);
  }
  json.end_object().key("classes").begin_array();
  for (const auto& [name, occurrences] : figures.classes) {
    json.begin_object().member("class", name);
    write_occurrences(json, occurrences);
    json.end_object();
  }
  json.end_array().key("unclassified").begin_object();
  write_occurrences(json, figures.unclassified);
  json.end_object();
}

void write_errors(JsonWriter& json, const Figures& figures, std::size_t top) {
  json.key("errors").begin_object().key("sqlstates").begin_array();
  for (const auto& [sqlstate, occurrences] : figures.sqlstates.top(top)) {
    json.begin_object().member("sqlstate", text_or_null(sqlstate)).member("condition", text_or_null(condition_name(sqlstate)));
    write_occurrences(json, occurrences);
    json.end_object();
  }
  json.end_array().key("messages").begin_array();
  for (const auto& [key, group] : figures.messages.top(top)) {
    const std::size_t blank = key.find(' ');
    json.begin_object().member("sqlstate", text_or_null(std::string_view(key).substr(0, blank)));
    json.member("message", group.example.empty() ? std::string_view(key).substr(blank + 1) : group.example);
    write_occurrences(json, group);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_statements(JsonWriter& json, const Figures& figures, std::size_t top) {
  json.key("statements")
      .begin_object()
      .member("groups", figures.statements_ms.size())
      .member("complete", figures.statements_ms.complete());
  json.key("slowest").begin_array();
  for (const auto& [statement, ms] : figures.statements_ms.top(top)) {
    json.begin_object()
        .member("statement", ms.example.empty() ? statement : ms.example)
        .member("count", ms.count)
        .member("total_ms", ms.total);
    json.member("mean_ms", ms.mean()).member("max_ms", ms.most).end_object();
  }
  json.end_array();
  write_measure(json, "given_up", "ms", figures.statements_ms.others());
  write_measure(json, "plans", "ms", figures.plans_ms);
  json.end_object();
}

}  // namespace

std::string json_report(const Figures& figures, std::size_t top) {
  JsonWriter json;
  json.begin_object();
  write_files(json, figures);
  write_counts(json, figures);
  write_errors(json, figures, top);
  write_statements(json, figures, top);
  json.key("locks")
      .begin_object()
      .member("waits", figures.count_of("lock.waiting"))
      .member("deadlocks", figures.count_of("lock.deadlock"));
  write_measure(json, "ended_waits", "ms", figures.lock_waits_ms);
  json.end_object();
  write_measure(json, "temporary_files", "bytes", figures.temporary_files_bytes);
  write_measure(json, "checkpoints", "s", figures.checkpoints_s);
  write_measure(json, "checkpoint_buffers", "buffers", figures.checkpoint_buffers);
  write_measure(json, "autovacuum", "s", figures.autovacuums_s);
  json.member("longest_autovacuum", text_or_null(figures.longest_autovacuum));
  json.key("connections").begin_object();
  json.member("received", figures.count_of("connection.received") + figures.count_of("connection.received_locally"));
  json.member("authorized", figures.count_of("connection.authorized"))
      .member("not_authenticated", figures.count_of_group("authentication."));
  json.member("too_many", figures.count_of_group("connection.too_many"));
  write_measure(json, "ended_sessions", "s", figures.sessions_s);
  json.end_object().end_object();
  return std::string(json.text()) + "\n";
}

}  // namespace pganalytics::logs
