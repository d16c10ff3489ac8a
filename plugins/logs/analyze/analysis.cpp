#include "plugins/logs/analyze/analysis.h"

#include "plugins/logs/analyze/statement_group.h"
#include "plugins/logs/classes/classify.h"
#include "plugins/logs/privacy/redact.h"

#include <pganalytics/text.hpp>
#include <string>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxGroupBytes = 1000;

const Field* field_of(const Event& event, std::string_view name) {
  for (const Field& field : event.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::optional<double> number_of(const Event& event, std::string_view name) {
  const Field* const field = field_of(event, name);
  return field == nullptr ? std::nullopt : to_number<double>(field->value);
}

// The number behind `words`, up to `end`: "elapsed: 1.23 s".
std::optional<double> number_behind(std::string_view text, std::string_view words, char end) {
  const std::size_t at = text.rfind(words);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  return to_number<double>(text.substr(0, text.find(end)));
}

// "0:01:02.345", hours to milliseconds.
std::optional<double> seconds_of(std::string_view clock) {
  const std::size_t first = clock.find(':');
  const std::size_t second = clock.rfind(':');
  if (first == std::string_view::npos || second <= first) return std::nullopt;
  const auto hours = to_number<double>(clock.substr(0, first));
  const auto minutes = to_number<double>(clock.substr(first + 1, second - first - 1));
  const auto seconds = to_number<double>(clock.substr(second + 1));
  if (!hours || !minutes || !seconds) return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

void add_if_any(Measure& measure, std::optional<double> value) {
  if (value) measure.add(*value);
}

// Its first line, not longer than a group may be.
std::string headline(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text.size() <= kMaxGroupBytes ? text : text.substr(0, kMaxGroupBytes) + "...";
}

}  // namespace

bool Analysis::is_wanted(const Event& event) const {
  if (!limits_.from_unix_ms && !limits_.to_unix_ms) return true;
  if (!event.unix_ms) return false;
  return (!limits_.from_unix_ms || *event.unix_ms >= *limits_.from_unix_ms) &&
         (!limits_.to_unix_ms || *event.unix_ms < *limits_.to_unix_ms);
}

void Analysis::add(Event event) {
  if (!is_wanted(event)) {
    ++figures_.outside;
    return;
  }
  figures_.entries.add(event.unix_ms);
  ++figures_.severities[event.severity ? static_cast<std::size_t>(*event.severity) : kSeverityNames.size()];
  const EventClass* const event_class = classify(event);
  if (event_class == nullptr) {
    figures_.unclassified.add(event.unix_ms);
  } else {
    figures_.classes[event_class->name].add(event.unix_ms);
    describe(event, *event_class);
    add_by_class(event);
  }
  add_statement(event);
  if (event.severity && *event.severity >= Severity::kError) add_error(std::move(event), event_class != nullptr);
}

void Analysis::add_error(Event event, bool has_class) {
  figures_.sqlstates.of(event.sqlstate).add(event.unix_ms);
  Event masked = event;
  redact(masked, grouping(), has_class);
  MessageGroup& group = figures_.messages.of(event.sqlstate + " " + headline(std::move(masked.message)));
  group.add(event.unix_ms);
  if (limits_.redaction != Redaction::kNone || group.count > 1) return;
  redact(event, Redaction::kNone, has_class);
  group.example = headline(std::move(event.message));
}

void Analysis::add_statement(const Event& event) {
  const auto statement = timed_statement(event.message);
  const auto duration_ms = statement ? number_of(event, "duration_ms") : std::nullopt;
  if (!duration_ms) return;
  Event timed;
  timed.statement = *statement;
  Event masked = timed;
  redact(masked, grouping(), true);
  StatementGroup& group = figures_.statements_ms.of(statement_group(masked.statement, kMaxGroupBytes));
  group.add(*duration_ms);
  if (limits_.redaction != Redaction::kNone || group.count > 1) return;
  redact(timed, Redaction::kNone, true);
  group.example = timed.statement.substr(0, kMaxGroupBytes);
}

void Analysis::add_by_class(const Event& event) {
  const std::string_view name = event.class_name;
  if (name == "statement.plan") add_if_any(figures_.plans_ms, number_of(event, "duration_ms"));
  if (name == "lock.acquired") add_if_any(figures_.lock_waits_ms, number_of(event, "wait_ms"));
  if (name == "statement.temporary_file") add_if_any(figures_.temporary_files_bytes, number_of(event, "size_bytes"));
  if (name == "checkpoint.complete" || name == "checkpoint.restartpoint_complete") {
    add_if_any(figures_.checkpoints_s, number_of(event, "total_s"));
    add_if_any(figures_.checkpoint_buffers, number_of(event, "buffers"));
  }
  if (name == "connection.ended") {
    const Field* const time = field_of(event, "session_time");
    if (time != nullptr) add_if_any(figures_.sessions_s, seconds_of(time->value));
  }
  if (name == "autovacuum.vacuum" || name == "autovacuum.aggressive" || name == "autovacuum.wraparound" ||
      name == "autovacuum.analyze") {
    const auto elapsed_s = number_behind(event.message, "elapsed: ", ' ');
    const Field* const table = field_of(event, "table");
    if (elapsed_s && table != nullptr && (figures_.autovacuums_s.count == 0 || *elapsed_s > figures_.autovacuums_s.most))
      figures_.longest_autovacuum = table->value;
    add_if_any(figures_.autovacuums_s, elapsed_s);
  }
}

}  // namespace pganalytics::logs
