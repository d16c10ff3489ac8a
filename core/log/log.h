// The one logger of the programs: a line on stderr, levelled, with escaped control bytes.
//
// Here: the line's form and the level. Not here: where lines go (stderr belongs to the service manager), rate limits of a
// plugin's lines (core/host). [any thread] One write(2) per line, so lines of threads and processes do not mix.
//
//   2026-02-03T04:05:06.789Z WARN  push: 503 from https://backend:8443; next try in 8 s
//       HINT: Check that the server is up.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include <pganalytics/expected.hpp>

namespace pganalytics::log {

enum class Level { kError = 1, kWarn = 2, kInfo = 3, kDebug = 4 };  // values of PGA_LOG_*

// kText: as above. kJson: one object a line, {"time","level","message"} and, where there is one, "hint" and the line's fields.
enum class Format { kText, kJson };
void set_format(Format format);                        // default kText
Expected<Format> parse_format(std::string_view name);  // "text", "json"

// Lines above this level are dropped. Default kInfo.
void set_level(Level level);
Level level();
Expected<Level> parse_level(std::string_view name);  // "error", "warn", "info", "debug"

void write(Level level, std::string_view message);
inline void error(std::string_view message) { write(Level::kError, message); }
inline void warn(std::string_view message) { write(Level::kWarn, message); }
inline void info(std::string_view message) { write(Level::kInfo, message); }
inline void debug(std::string_view message) { write(Level::kDebug, message); }

// An error with its hint on a line of its own.
void write(Level level, std::string_view doing, const Error& error);

// A fact of a line that programs read: "ms=12" after the text, or a member of the JSON object. `name` is ours: [a-z_]+, and none
// of time, level, message, hint. In a line of text a value is quoted if it has a blank, a quote, '=' or a control byte in it:
// what a peer sent is no second field, and no second line.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;
};
void write(Level level, std::string_view message, std::initializer_list<Field> fields);

}  // namespace pganalytics::log
