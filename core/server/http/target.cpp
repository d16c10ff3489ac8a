#include "core/server/http/target.h"

#include <optional>
#include <pganalytics/json.hpp>

namespace pganalytics::server::http {
namespace {

constexpr std::size_t kMaxParameters = 32;

Error refused(std::string message) { return Error{PGA_E_CONFIG, "http.target", std::move(message), {}, 0}; }

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

Expected<std::string> decode(std::string_view text, std::string_view where) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return refused("a percent sign without two hex digits in the " + std::string(where));
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(c)) return refused("a control character in the " + std::string(where));
    decoded += c;
  }
  if (!is_utf8(decoded)) return refused("the " + std::string(where) + " is not UTF-8");
  return decoded;
}

bool has_encoded_slash(std::string_view path) {
  return path.find("%2F") != std::string_view::npos || path.find("%2f") != std::string_view::npos;
}

// Up to the next `separator`, which is taken off as well.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return piece;
}

}  // namespace

Expected<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return refused("the request target is not a path");
  if (text.find('#') != std::string_view::npos) return refused("a fragment in the request target");
  Target target;
  const std::string_view path = take_until(text, '?');
  if (has_encoded_slash(path)) return refused("an encoded slash in the path");
  PGA_TRY(target.path, decode(path, "path"));
  while (!text.empty()) {
    std::string_view parameter = take_until(text, '&');
    if (parameter.empty()) continue;
    if (target.query.size() == kMaxParameters) return refused("too many parameters in the query");
    PGA_TRY(auto name, decode(take_until(parameter, '='), "query"));
    PGA_TRY(auto value, decode(parameter, "query's \"" + name + "\""));
    target.query.emplace_back(std::move(name), std::move(value));
  }
  return target;
}

}  // namespace pganalytics::server::http
