#include "core/log/log.h"

#include "core/clock/clock.h"

#include <unistd.h>

#include <atomic>

namespace pganalytics::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::kError: return "ERROR";
    case Level::kWarn: return "WARN ";
    case Level::kInfo: return "INFO ";
    case Level::kDebug: return "DEBUG";
  }
  return "?";
}

// Log injection ends here: whatever a plugin or a peer sent, a line stays a line and a terminal stays itself.
void append_escaped(std::string& line, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      line += c;
    } else if (c == '\t') {
      line += ' ';
    } else if (c == '\n') {
      line += "\n    ";
    } else {
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    }
  }
}

}  // namespace

void set_level(Level level) { g_level = level; }
Level level() { return g_level; }

Expected<Level> parse_level(std::string_view name) {
  if (name == "error") return Level::kError;
  if (name == "warn") return Level::kWarn;
  if (name == "info") return Level::kInfo;
  if (name == "debug") return Level::kDebug;
  return Error{PGA_E_CONFIG, "log.level", "unknown log level '" + std::string(name) + "'", "Use error, warn, info or debug.", 0};
}

void write(Level level, std::string_view message) {
  if (level > g_level) return;
  std::string line = clock::format_rfc3339(clock::now_unix_ns());
  line += ' ';
  line += name_of(level);
  line += ' ';
  append_escaped(line, message);
  line += '\n';
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void write(Level level, std::string_view doing, const Error& error) {
  std::string text(doing);
  if (!text.empty()) text += ": ";
  text += error.message;
  if (!error.hint.empty()) text += "\nHINT: " + error.hint;
  write(level, text);
}

}  // namespace pganalytics::log
