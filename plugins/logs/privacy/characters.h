// The few questions about characters and words that the finders of private text share. ASCII, whatever the locale. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
constexpr bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

// Of an identifier of SQL (scan.l: ident_start, ident_cont): bytes above ASCII are letters.
constexpr bool begins_identifier(char c) { return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
constexpr bool goes_on_identifier(char c) { return begins_identifier(c) || is_digit(c) || c == '$'; }

constexpr bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// Whatever the case; `word` is in lower case.
constexpr bool begins_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

constexpr std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

}  // namespace pganalytics::logs
