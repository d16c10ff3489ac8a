#include "core/log/log.h"

#include "core/clock/clock.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <pganalytics/json.hpp>

namespace pganalytics::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};
std::atomic<Format> g_format{Format::kText};

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::kError: return "ERROR";
    case Level::kWarn: return "WARN ";
    case Level::kInfo: return "INFO ";
    case Level::kDebug: return "DEBUG";
  }
  return "?";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void append_hex(std::string& line, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  line.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
}

// Log injection ends here: whatever a plugin or a peer sent, a line stays a line and a terminal stays itself.
void append_escaped(std::string& line, std::string_view text) {
  for (const char c : text) {
    if (c == '\t') {
      line += ' ';
    } else if (c == '\n') {
      line += "\n    ";
    } else if (is_control(c)) {
      append_hex(line, c);
    } else {
      line += c;
    }
  }
}

void append_value(std::string& line, std::string_view value) {
  const auto needs_quotes = [](char c) { return is_control(c) || c == ' ' || c == '"' || c == '='; };
  if (!value.empty() && std::none_of(value.begin(), value.end(), needs_quotes)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (is_control(c)) {
      append_hex(line, c);
      continue;
    }
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

struct Line {
  Level level;
  std::string_view message, hint;
  std::initializer_list<Field> fields;
};

std::string value_text(const Field& field) {
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return std::string(std::get<std::string_view>(field.value));
}

std::string text_of(const Line& line, const std::string& time) {
  std::string text = time;
  text.append(" ").append(name_of(line.level)).append(" ");
  append_escaped(text, line.message);
  for (const Field& field : line.fields) {
    text.append(" ").append(field.name).append("=");
    append_value(text, value_text(field));
  }
  if (!line.hint.empty()) append_escaped(text, "\nHINT: " + std::string(line.hint));
  return text;
}

// JsonWriter makes UTF-8 of whatever bytes came and escapes control characters: a line stays a line.
std::string json_of(const Line& line, const std::string& time) {
  std::string level(name_of(line.level));
  if (level.back() == ' ') level.pop_back();
  JsonWriter json;
  json.begin_object().member("time", time).member("level", level).member("message", line.message);
  if (!line.hint.empty()) json.member("hint", line.hint);
  for (const Field& field : line.fields) {
    std::visit([&](const auto& value) { json.member(field.name, value); }, field.value);
  }
  json.end_object();
  return std::string(json.text());
}

void put(const Line& line) {
  if (line.level > g_level) return;
  const std::string time = clock::format_rfc3339(clock::now_unix_ns());
  const std::string text = (g_format == Format::kJson ? json_of(line, time) : text_of(line, time)) + '\n';
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

void set_format(Format format) { g_format = format; }
void set_level(Level level) { g_level = level; }
Level level() { return g_level; }

Expected<Level> parse_level(std::string_view name) {
  if (name == "error") return Level::kError;
  if (name == "warn") return Level::kWarn;
  if (name == "info") return Level::kInfo;
  if (name == "debug") return Level::kDebug;
  return Error{PGA_E_CONFIG, "log.level", "unknown log level '" + std::string(name) + "'", "Use error, warn, info or debug.", 0};
}

Expected<Format> parse_format(std::string_view name) {
  if (name == "text") return Format::kText;
  if (name == "json") return Format::kJson;
  return Error{PGA_E_CONFIG, "log.format", "unknown log format '" + std::string(name) + "'", "Use text or json.", 0};
}

void write(Level level, std::string_view message) { put({level, message, {}, {}}); }

void write(Level level, std::string_view doing, const Error& error) {
  std::string text(doing);
  if (!text.empty()) text += ": ";
  text += error.message;
  put({level, text, error.hint, {}});
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) { put({level, message, {}, fields}); }

}  // namespace pganalytics::log
