#include "plugins/logs/privacy/statement.h"

#include "plugins/logs/privacy/characters.h"

#include <algorithm>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

enum class Token { kLiteral, kComment, kQuotedName, kOther };

// Behind the quote that ends the string at `quote`. A backslash escapes in E'' and, depending on a setting, elsewhere: where the
// readings differ, the string never ends.
std::size_t end_of_string(std::string_view text, std::size_t quote, bool backslash_escapes) {
  bool after_backslash = false;
  for (std::size_t i = quote + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      after_backslash = !after_backslash;
      continue;
    }
    if (c == '\'') {
      if (!after_backslash) {
        const bool doubled = i + 1 < text.size() && text[i + 1] == '\'';
        if (!doubled) return i + 1;
        ++i;
      } else if (!backslash_escapes) {
        return text.size();
      }
    }
    after_backslash = false;
  }
  return text.size();
}

std::size_t end_of_quoted_name(std::string_view text, std::size_t quote) {
  const std::size_t close = text.find('"', quote + 1);
  return close == kNone ? text.size() : close + 1;  // a doubled quote begins the next piece
}

// Behind the "$" that ends the tag at `at`; `at` if there is no tag.
std::size_t end_of_dollar_tag(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  if (end < text.size() && begins_identifier(text[end])) {
    while (end < text.size() && text[end] != '$' && goes_on_identifier(text[end])) ++end;
  }
  return end < text.size() && text[end] == '$' ? end + 1 : at;
}

std::size_t end_of_dollar_string(std::string_view text, std::size_t at) {
  const std::size_t body = end_of_dollar_tag(text, at);
  if (body == at) return at;
  const std::string_view tag = text.substr(at, body - at);
  const std::size_t close = text.find(tag, body);
  return close == kNone ? text.size() : close + tag.size();
}

// Rather too far: "1..10" and "12ab" are taken whole.
std::size_t end_of_number(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const char c = text[at];
    const bool exponent =
        lower(c) == 'e' && at + 2 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') && is_digit(text[at + 2]);
    if (exponent) ++at;
    if (!exponent && c != '.' && (c == '$' || !goes_on_identifier(c))) break;
    ++at;
  }
  return at;
}

// 'x', E'x', U&'x'...: where its quote is, and how it reads; kNone: no string with quotes begins here.
std::pair<std::size_t, bool> quote_of_string(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {kNone, false};
  if (text[at] == '\'') return {at, false};
  const std::string_view rest = text.substr(at);
  if (begins_with_word(rest, "u&'")) return {at + 2, false};
  for (const std::string_view start : {"e'", "b'", "x'", "n'"}) {
    if (begins_with_word(rest, start)) return {at + 1, lower(text[at]) == 'e'};
  }
  return {kNone, false};
}

std::size_t end_of_one_literal(std::string_view text, std::size_t at) {
  const auto [quote, backslash_escapes] = quote_of_string(text, at);
  if (quote != kNone) return end_of_string(text, quote, backslash_escapes);
  if (at >= text.size()) return at;
  if (text[at] == '$') return end_of_dollar_string(text, at);
  const bool fraction = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]);
  return fraction || is_digit(text[at]) ? end_of_number(text, at) : at;
}

std::size_t end_of_name(std::string_view text, std::size_t at) {
  while (at < text.size() && goes_on_identifier(text[at])) ++at;
  return at;
}

std::size_t end_of_parameter(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && is_digit(text[at]);) ++at;
  return at;
}

// The token at `at`, which is within the text, and where it ends.
std::pair<Token, std::size_t> token_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  if (c == '"') return {Token::kQuotedName, end_of_quoted_name(text, at)};
  if (c == '$' && is_digit(next)) return {Token::kOther, end_of_parameter(text, at)};
  if (const std::size_t end = end_of_one_literal(text, at); end != at) return {Token::kLiteral, end};
  if (const std::size_t end = end_of_comment(text, at); end != at) return {Token::kComment, end};
  if (lower(c) == 'u' && begins_with(text.substr(at + 1), "&\"")) return {Token::kQuotedName, end_of_quoted_name(text, at + 2)};
  return {Token::kOther, begins_identifier(c) ? end_of_name(text, at) : at + 1};
}

bool ends_line(std::string_view text, std::size_t at) { return at == text.size() || text[at] == '\n'; }

}  // namespace

std::size_t end_of_comment(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (begins_with(rest, "--")) return std::min(text.find_first_of("\n\r", at), text.size());
  if (!begins_with(rest, "/*")) return at;
  std::size_t depth = 1;
  for (std::size_t i = at + 2; i + 1 < text.size(); ++i) {
    const bool opens = text[i] == '/' && text[i + 1] == '*';
    const bool closes = text[i] == '*' && text[i + 1] == '/';
    if (!opens && !closes) continue;
    depth = opens ? depth + 1 : depth - 1;
    ++i;
    if (depth == 0) return i + 1;
  }
  return text.size();
}

std::size_t end_of_literal(std::string_view text, std::size_t at) {
  std::size_t end = end_of_one_literal(text, at);
  for (std::size_t next = end; end != at; end = next) {
    next = skip_blanks(text, end);
    if (next == text.size() || text[next] != '\'') break;
    next = end_of_string(text, next, false);
  }
  return end;
}

std::size_t find_literals(std::string_view text, std::size_t begin, StatementEnd end, Spans& spans) {
  for (std::size_t at = begin; at < text.size();) {
    if (end == StatementEnd::kQuotedLine && text[at] == '"' && ends_line(text, at + 1)) return at;
    const auto [token, token_end] = token_at(text, at);
    if (token == Token::kLiteral) spans.push_back({at, token_end, PrivateKind::kLiteral});
    if (token == Token::kComment) spans.push_back({at, token_end, PrivateKind::kComment});
    const bool open_name = token == Token::kQuotedName && (token_end - at < 2 || text[token_end - 1] != '"');
    if (open_name) spans.push_back({at, token_end, PrivateKind::kLiteral});
    at = token_end;
  }
  return text.size();
}

std::size_t end_of_parenthesis(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at < text.size();) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at + 1;
    at = token_at(text, at).second;
  }
  return text.size();
}

std::string without_literals(std::string_view sql) {
  Spans spans;
  find_literals(sql, 0, StatementEnd::kText, spans);
  return without_spans(sql, std::move(spans), Redaction::kParameters);
}

}  // namespace pganalytics::logs
