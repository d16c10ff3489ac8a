#include "core/schema/format.h"

#include "core/clock/clock.h"
#include "core/schema/units.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace pganalytics::schema {
namespace {

Error not_a(const char* what, std::string_view text, const char* hint) {
  return Error{PGA_E_CONFIG, "format", "'" + std::string(text) + "' is not " + what, hint, 0};
}

Outcome check_duration(std::string_view text) {
  PGA_TRY([[maybe_unused]] const auto value, parse_duration_ms(text));
  return {};
}

Outcome check_bytes(std::string_view text) {
  PGA_TRY([[maybe_unused]] const auto value, parse_bytes(text));
  return {};
}

Outcome check_path(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.find('\0') != std::string_view::npos) {
    return not_a("an absolute path", text, "Write the whole path, from the root: /var/log/...");
  }
  return {};
}

Outcome check_conninfo(std::string_view text) {
  const bool one_line = std::none_of(text.begin(), text.end(), [](char c) { return c == '\0' || c == '\n' || c == '\r'; });
  if (!one_line) return not_a("a connection string", "...", "Write it on one line, as in psql.");
  return {};
}

Outcome check_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const Error malformed = not_a("host:port", text, "Write host:port, for example db1.example:5432 or [::1]:5432.");
  if (colon == std::string_view::npos || colon == 0) return malformed;
  const std::string_view port_text = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, code] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (code != std::errc{} || end != port_text.data() + port_text.size() || port == 0 || port > 65535) return malformed;
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  if (host.find(':') != std::string_view::npos && !bracketed) return malformed;
  return {};
}

Outcome check_date_time(std::string_view text) {
  if (!clock::parse_rfc3339(text)) return not_a("an RFC 3339 time", text, "Write it like 2026-02-03T04:05:06.789Z.");
  return {};
}

struct Format {
  std::string_view name;
  Outcome (*check)(std::string_view text);
};

constexpr Format kFormats[] = {{"duration", check_duration}, {"bytes", check_bytes},         {"path-read", check_path},
                               {"conninfo", check_conninfo}, {"host-port", check_host_port}, {"date-time", check_date_time}};

const Format* find(std::string_view name) {
  const auto* const format =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& f) { return f.name == name; });
  return format == std::end(kFormats) ? nullptr : format;
}

}  // namespace

bool is_known_format(std::string_view format) { return find(format) != nullptr; }

Outcome check_format(std::string_view format, std::string_view text) {
  const Format* known = find(format);
  if (known == nullptr) return Error{PGA_E_UNSUPPORTED, "format", "unknown format '" + std::string(format) + "'", "", 0};
  return known->check(text);
}

}  // namespace pganalytics::schema
