#include "plugins/logs/entries/fields.h"

#include <algorithm>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

// What %u, %d and %a of a session say before it has told (elog.c: log_status_format); csvlog and jsonlog say nothing.
std::string_view known(std::string_view word) { return word == "[unknown]" ? std::string_view() : word; }

// Most prefixes say little: what is empty is not assigned.
void set_if_any(std::string& to, std::string_view text) {
  if (!text.empty()) to = text;
}

}  // namespace

void append_text(Event& event, std::string Event::*where, std::string_view text) {
  std::string& to = event.*where;
  const std::size_t room = kMaxTextBytes - std::min(to.size(), kMaxTextBytes);
  to.append(text.substr(0, room));
  if (text.size() > room) event.truncated_bytes += text.size() - room;
}

void set_time(Event& event, std::string_view text, HostZoneMemory& host_zone, Tally& tally) {
  event.unix_ms = parse_log_time(text, host_zone);
  if (event.unix_ms) return;
  event.time_text = text;
  ++tally.unknown_zones;
}

void set_severity(Event& event, std::string_view word, Tally& tally) {
  event.severity = parse_severity(word);
  if (event.severity) return;
  ++tally.unknown_labels;
  event.message.insert(0, std::string(word) + ":  ");
}

void set_remote(Event& event, std::string_view text, char before_port) {
  std::size_t at = text.rfind(before_port);
  std::string_view port = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  if (!port.empty() && before_port == '(' && port.back() == ')') port.remove_suffix(1);
  event.remote_port = to_number<std::int64_t>(port);
  event.remote_host = event.remote_port ? text.substr(0, at) : text;
}

std::optional<std::int64_t> not_zero(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  const auto number = to_number<std::int64_t>(digits);
  return number && *number != 0 ? number : std::nullopt;
}

std::optional<std::int64_t> positive(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  const auto number = to_number<std::int64_t>(digits);
  return number && *number > 0 ? number : std::nullopt;
}

void set_prefix(Event& event, const PrefixMatch& match, HostZoneMemory& host_zone, Tally& tally) {
  event.pid = to_number<std::int64_t>(match.pid);
  set_if_any(event.user, known(match.user));
  set_if_any(event.database, known(match.database));
  set_if_any(event.application, known(match.application));
  set_if_any(event.sqlstate, match.sqlstate);
  if (!match.time.empty()) {
    set_time(event, match.time, host_zone, tally);
  } else if (!match.epoch.empty()) {
    event.unix_ms = parse_log_epoch(match.epoch);
  }
  if (!match.remote.empty()) set_remote(event, match.remote, '(');
  set_if_any(event.session_id, match.session_id);
  event.session_line = positive(match.session_line);
  event.session_start_unix_ms = parse_log_time(match.session_start, host_zone);
  set_if_any(event.command, match.command);
  set_if_any(event.virtual_transaction, match.virtual_transaction);
  event.transaction = positive(match.transaction);
  set_if_any(event.backend_type, match.backend_type);
  event.leader_pid = positive(match.leader_pid);
  event.query_id = not_zero(match.query_id);
}

void move_position_out_of_message(Event& event) {
  constexpr std::string_view kWords = " at character ";
  if (event.message.empty() || event.message.back() < '0' || event.message.back() > '9') return;
  const std::size_t digits = event.message.find_last_not_of("0123456789") + 1;
  if (!event.severity || digits == event.message.size() || digits < kWords.size()) return;
  const std::size_t words = digits - kWords.size();
  if (event.message.compare(words, kWords.size(), kWords) != 0) return;
  const auto position = positive(std::string_view(event.message).substr(digits));
  if (!position) return;
  (event.internal_query.empty() ? event.cursor_position : event.internal_position) = position;
  event.message.resize(words);
}

Event other_output(std::string_view text) {
  Event event;
  append_text(event, &Event::message, text);
  return event;
}

}  // namespace pganalytics::logs
