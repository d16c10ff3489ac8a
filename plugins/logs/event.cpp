#include "plugins/logs/event.h"

#include <pganalytics/json.hpp>
#include <pganalytics/plugin.hpp>

#include <algorithm>
#include <string_view>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kLeastTextBytes = 5;  // an SQLSTATE's

// `text` cut to `max_bytes` without splitting a UTF-8 sequence.
std::string_view shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return text.substr(0, end);
}

class Writer {
 public:
  explicit Writer(std::size_t max_text_bytes) : max_text_bytes_(max_text_bytes) {}

  void text(const char* name, const std::string& value) {
    const std::string_view kept = shortened(value, max_text_bytes_);
    cut_bytes_ += value.size() - kept.size();
    json_.key(name);
    if (value.empty()) {
      json_.value(nullptr);
    } else {
      storable(kept);
    }
  }

  // NUL is valid JSON, but neither PostgreSQL's text nor its jsonb can store it.
  void storable(std::string_view text) {
    if (text.find('\0') == std::string_view::npos) {
      json_.value(text);
      return;
    }
    std::string clean;
    for (const char c : text) c == '\0' ? clean += "\xEF\xBF\xBD" : clean += c;
    json_.value(clean);
  }

  // What few logs say has no place of its own where it is not said.
  void if_any(const char* name, const std::string& value) {
    if (!value.empty()) text(name, value);
  }
  void if_any(const char* name, std::optional<std::int64_t> number) {
    if (number) json_.member(name, *number);
  }

  // They repeat what the message says: the first to go where there is little room.
  void fields(const std::vector<Field>& fields) {
    if (fields.empty() || max_text_bytes_ <= kLeastTextBytes) return;
    json_.key("fields").begin_object();
    for (const Field& field : fields) {
      if (field.is_json && field.value.size() > max_text_bytes_) continue;  // half of it would not be JSON
      json_.key(field.name);
      if (field.is_number || field.is_json) {
        json_.json(field.value);
      } else {
        storable(shortened(field.value, max_text_bytes_));
      }
    }
    json_.end_object();
  }

  void plan(const std::string& nodes) {
    if (!nodes.empty() && nodes.size() <= max_text_bytes_) json_.key("plan").json(nodes);
  }

  std::string write(const Event& event) {
    json_.begin_object();
    json_.key("timestamp");
    event.unix_ms ? json_.value(rfc3339_ms(*event.unix_ms * 1'000'000)) : json_.value(nullptr);
    if (!event.time_text.empty()) text("timestamp_text", event.time_text);
    json_.member("pid", event.pid);
    json_.key("severity");
    event.severity ? json_.value(severity_name(*event.severity)) : json_.value(nullptr);
    text("sqlstate", event.sqlstate);
    if (!event.class_name.empty()) json_.member("class", event.class_name);
    text("user", event.user);
    text("database", event.database);
    text("application", event.application);
    text("message", event.message);
    text("detail", event.detail);
    text("hint", event.hint);
    text("context", event.context);
    text("statement", event.statement);
    if_any("cursor_position", event.cursor_position);
    if_any("internal_query", event.internal_query);
    if_any("internal_position", event.internal_position);
    if_any("location", event.location);
    if_any("backtrace", event.backtrace);
    if_any("remote_host", event.remote_host);
    if_any("remote_port", event.remote_port);
    if_any("session_id", event.session_id);
    if_any("session_line", event.session_line);
    if (event.session_start_unix_ms) json_.member("session_start", rfc3339_ms(*event.session_start_unix_ms * 1'000'000));
    if_any("command", event.command);
    if_any("virtual_transaction", event.virtual_transaction);
    if_any("transaction", event.transaction);
    if_any("backend_type", event.backend_type);
    if_any("leader_pid", event.leader_pid);
    if_any("query_id", event.query_id);
    fields(event.fields);
    plan(event.plan);
    if (event.sampled_one_in > 1) json_.member("sampled_one_in", event.sampled_one_in);
    json_.member("truncated_bytes", event.truncated_bytes + cut_bytes_);
    json_.end_object();
    return std::string(json_.text());
  }

 private:
  JsonWriter json_;
  std::size_t max_text_bytes_;
  std::uint64_t cut_bytes_ = 0;
};

}  // namespace

std::string event_json(const Event& event, std::size_t max_bytes) {
  // At worst one byte of text becomes six of JSON, in twenty texts: 5 bytes each fit into the least that callers
  // may ask for.
  for (std::size_t max_text_bytes = max_bytes;; max_text_bytes = std::max(max_text_bytes / 2, kLeastTextBytes)) {
    std::string json = Writer(max_text_bytes).write(event);
    if (json.size() <= max_bytes || max_text_bytes <= kLeastTextBytes) return json;
  }
}

}  // namespace pganalytics::logs
