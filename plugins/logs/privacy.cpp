#include "plugins/logs/privacy.h"

#include <algorithm>
#include <cctype>

namespace pganalytics::logs {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// `word` is lower case.
bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char expected, char c) { return expected == lower(c); });
}

std::size_t skip_spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// End of the quoted text that begins at `at` with a quote; a doubled quote or a backslash does not end it. The end of the text
// if it is not closed: rather too much is hidden.
std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (i + 1 < text.size() && text[i + 1] == quote) {
        ++i;
      } else {
        return i + 1;
      }
    }
  }
  return text.size();
}

// End of the string constant at `at`: '..', "..", E'..', U&'..', $tag$..$tag$; `at` itself if there is none.
std::size_t end_of_literal(std::string_view text, std::size_t at) {
  std::size_t quote = at;
  if (starts_with_word(text.substr(at), "u&'")) quote = at + 2;
  if (starts_with_word(text.substr(at), "e'") || starts_with_word(text.substr(at), "n'")) quote = at + 1;
  if (quote < text.size() && (text[quote] == '\'' || text[quote] == '"')) return end_of_quoted(text, quote);
  if (at < text.size() && text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '"')
    return text.size();  // JSON within JSON
  if (at < text.size() && text[at] == '$') {
    std::size_t tag_end = at + 1;
    while (tag_end < text.size() && is_word(text[tag_end])) ++tag_end;
    if (tag_end >= text.size() || text[tag_end] != '$') return at;
    const std::string_view tag = text.substr(at, tag_end + 1 - at);
    const std::size_t close = text.find(tag, tag_end + 1);
    return close == std::string_view::npos ? text.size() : close + tag.size();
  }
  return at;
}

std::size_t end_of_bare_value(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_space(text[at]) && std::string_view("&;,'\")").find(text[at]) == std::string_view::npos) ++at;
  return at;
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;  // == begin: nothing to hide
};

// What follows a keyword that ends at `at`: "= value", ": value", " 'value'", " to 'value'" (SET, and messages about settings).
Span value_after(std::string_view text, std::size_t at) {
  while (at < text.size() && is_word(text[at])) ++at;  // secret_access_key
  if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
  std::size_t value = skip_spaces(text, at);
  if (starts_with_word(text.substr(value), "changed to ")) value += 8;
  if (starts_with_word(text.substr(value), "to ")) value = skip_spaces(text, value + 3);
  const bool assigned = value < text.size() && (text[value] == '=' || text[value] == ':');
  if (assigned) {
    while (value < text.size() && (text[value] == '=' || text[value] == ':' || text[value] == '>')) ++value;
    value = skip_spaces(text, value);
  }
  const std::size_t literal = end_of_literal(text, value);
  if (literal != value) return {value, literal};
  return assigned ? Span{value, end_of_bare_value(text, value)} : Span{};
}

Span credentials_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (!starts_with_word(rest, scheme)) continue;
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end]) && text[end] != '\'' && text[end] != '"') ++end;
    return {at, end};
  }
  if (starts_with(rest, "://")) {  // //user:password@host
    const std::size_t end = rest.find_first_of("/?# \t\n'\"", 3);
    const std::string_view authority = rest.substr(3, end == std::string_view::npos ? end : end - 3);
    const std::size_t sign = authority.rfind('@');
    if (sign != std::string_view::npos && authority.find(':') < sign) return {at + 3, at + 3 + sign};
  }
  if (starts_with(rest, "SCRAM-SHA-256$")) return {at, end_of_bare_value(text, at)};
  if (starts_with(rest, "md5") && (at == 0 || !is_word(text[at - 1]))) {
    std::size_t end = at + 3;
    while (end < text.size() && std::isxdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end - at == 35 && (end == text.size() || !is_word(text[end]))) return {at, end};
  }
  for (const std::string_view keyword : {"password", "passwd", "passphrase", "pwd", "secret", "token", "conninfo"}) {
    if (!starts_with_word(rest, keyword)) continue;
    const Span value = value_after(text, at + keyword.size());
    if (value.end > value.begin) return value;
  }
  constexpr std::string_view kConnection = "connection '";  // CREATE SUBSCRIPTION
  if (starts_with_word(rest, kConnection)) return {at + kConnection.size() - 1, end_of_quoted(text, at + kConnection.size() - 1)};
  return {};
}

constexpr std::string Event::*kTexts[] = {&Event::message,   &Event::detail,         &Event::hint,   &Event::context,
                                          &Event::statement, &Event::internal_query, &Event::command};

void hide(std::string& text) {
  if (!text.empty()) text = kRedacted;
}

// Keeps what is before `from`.
void hide_from(std::string& text, std::size_t from) {
  if (from < text.size()) text = text.substr(0, from) + std::string(kRedacted);
}

// Messages whose rest is a statement or its parameters: keep the words that say so.
bool hide_statement_in(std::string& message) {
  for (const std::string_view start : {"statement: ", "execute ", "parse ", "bind ",
                                       "fastpath function call: ", "parameters: ", "plan:", "AUDIT: ", "cron job "}) {
    std::size_t at = 0;
    if (starts_with(message, "duration: ")) {
      const std::size_t unit = message.find(" ms  ");
      if (unit != std::string::npos) at = unit + 5;
    }
    if (!starts_with(std::string_view(message).substr(at), start)) continue;
    hide_from(message, at + start.size());
    return true;
  }
  return false;
}

// `syntax error at or near "SELEC"`, `invalid input syntax for type integer: "abc"`, `value "7000000000" is out of range`: quoted
// text that comes from a statement or from data, unlike the quoted name in `relation "t" does not exist`.
void hide_quoted_values(std::string& message) {
  for (const std::string_view before : {": \"", "at or near \"", "value \"", "Token \"", "string \"", "literal \""}) {
    for (std::size_t at = message.find(before); at != std::string::npos; at = message.find(before, at + before.size())) {
      const std::size_t open = at + before.size() - 1;
      const std::size_t last = message.rfind('"');
      // A value may contain quotes: up to the last one, unless it is followed by the rest of a sentence we know.
      const std::size_t range = message.find("\" is out of range", open + 1);
      const std::size_t end = range != std::string::npos ? range : last;
      if (end <= open) {
        hide_from(message, open);
        return;
      }
      message.replace(open + 1, end - open - 1, kRedacted);
    }
  }
}

}  // namespace

std::string without_credentials(std::string_view text) {
  std::string clean;
  std::size_t copied = 0;
  constexpr std::string_view kFirstLetters = "pPsStTcCm:";  // of everything credentials_at() knows
  for (std::size_t at = 0; (at = text.find_first_of(kFirstLetters, at)) != std::string_view::npos;) {
    const Span secret = credentials_at(text, at);
    if (secret.end <= secret.begin) {
      ++at;
      continue;
    }
    clean.append(text.substr(copied, secret.begin - copied));
    clean.append(kRedacted);
    copied = at = secret.end;
  }
  clean.append(text.substr(copied));
  return clean;
}

void hide_credentials(Event& event) {
  for (std::string Event::*text : kTexts) event.*text = without_credentials(event.*text);
}

void hide_private(Event& event) {
  hide(event.detail);
  hide(event.context);
  hide(event.statement);
  hide(event.internal_query);
  if (!event.severity) {
    hide(event.message);
  } else if (!hide_statement_in(event.message)) {
    hide_quoted_values(event.message);
  }
  hide_credentials(event);
}

}  // namespace pganalytics::logs
