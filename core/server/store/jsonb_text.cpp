#include "core/server/store/jsonb_text.h"

#include <charconv>

namespace pganalytics::server::store {
namespace {

constexpr std::size_t kNumberBytes = 100;
constexpr std::size_t kExponentDigits = 3;
constexpr std::size_t kEscapeBytes = 6;  // \u0000
constexpr std::string_view kReplacement = "\\ufffd";

// What \uXXXX at the begin of `text` stands for; -1: there is none.
int escaped_unit(std::string_view text) {
  if (text.size() < kEscapeBytes || text[0] != '\\' || text[1] != 'u') return -1;
  int unit = -1;
  std::from_chars(text.data() + 2, text.data() + kEscapeBytes, unit, 16);
  return unit;
}

bool is_high(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

// The escape at the begin of `rest`, as it may stand; how much of `rest` it is.
std::size_t append_escape(std::string_view rest, std::string& text) {
  const int unit = escaped_unit(rest);
  if (unit < 0) {
    text += rest.substr(0, 2);
    return 2;
  }
  if (is_high(unit) && is_low(escaped_unit(rest.substr(kEscapeBytes)))) {
    text += rest.substr(0, 2 * kEscapeBytes);
    return 2 * kEscapeBytes;
  }
  text += unit == 0 || is_high(unit) || is_low(unit) ? kReplacement : rest.substr(0, kEscapeBytes);
  return kEscapeBytes;
}

bool is_number_byte(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

bool is_storable_number(std::string_view number) {
  const std::size_t e = number.find_first_of("eE");
  if (e == std::string_view::npos) return number.size() <= kNumberBytes;
  const std::string_view exponent = number.substr(e + 1);
  const std::size_t digits = exponent.size() - (exponent.find_first_of("+-") == 0 ? 1 : 0);
  return number.size() <= kNumberBytes && digits <= kExponentDigits;
}

}  // namespace

Expected<std::string> jsonb_text(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  bool in_string = false;
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (in_string && c == '\\') {
      at += append_escape(json.substr(at), text);
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == '-' || (c >= '0' && c <= '9'))) {
      std::size_t end = at;
      while (end < json.size() && is_number_byte(json[end])) ++end;
      const std::string_view number = json.substr(at, end - at);
      if (!is_storable_number(number)) {
        return Error{PGA_E_CONFIG, "bad_event", "a number in an event has too many digits: " + std::string(number.substr(0, 50)),
                     "", 0};
      }
      text += number;
      at = end;
      continue;
    }
    text += c;
    ++at;
  }
  return text;
}

}  // namespace pganalytics::server::store
