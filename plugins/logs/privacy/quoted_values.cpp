#include "plugins/logs/privacy/quoted_values.h"

#include "plugins/logs/privacy/characters.h"

#include <algorithm>
#include <iterator>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// What PostgreSQL's messages call by a name in double quotes, and what in them is set up by an administrator.
constexpr std::string_view kNouns[] = {"address",      "aggregate",  "analyze of",  "attribute",    "auxiliary file",
                                       "channel",      "class",      "collation",   "column",       "configuration file",
                                       "constraint",   "conversion", "cursor",      "database",     "dictionary",
                                       "directory",    "domain",     "encoding",    "extension",    "family",
                                       "file",         "function",   "group",       "history file", "host",
                                       "host name",    "identity=",  "index",       "language",     "library",
                                       "method",       "object",     "operator",    "option",       "parameter",
                                       "parser",       "partition",  "path",        "policy",       "portal",
                                       "procedure",    "provider",   "publication", "relation",     "role",
                                       "rule",         "savepoint",  "schema",      "segment",      "sequence",
                                       "server",       "slot",       "socket",      "standby",      "statement",
                                       "subscription", "table",      "tablespace",  "template",     "trigger",
                                       "type",         "user",       "vacuum of",   "view",         "wrapper"};

// Does text[..at) end in a noun, before a blank, as a word of its own?
bool is_behind_noun(std::string_view text, std::size_t at) {
  std::string_view before = text.substr(0, at);
  if (before.empty()) return false;
  if (before.back() == ' ') {
    before.remove_suffix(1);
  } else if (before.back() != '=') {
    return false;
  }
  return std::any_of(std::begin(kNouns), std::end(kNouns), [&](std::string_view noun) {
    if (before.size() < noun.size() || before.substr(before.size() - noun.size()) != noun) return false;
    return before.size() == noun.size() || !is_word(before[before.size() - noun.size() - 1]);
  });
}

// UTF-8 of the quotes of other languages: « » ‘ ’ ‚ “ ” „ ‹ › 「 」.
std::size_t length_of_foreign_quote(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  for (const std::string_view quote :
       {"\xC2\xAB", "\xC2\xBB", "\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x9A", "\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9E",
        "\xE2\x80\xB9", "\xE2\x80\xBA", "\xE3\x80\x8C", "\xE3\x80\x8D"}) {
    if (begins_with(rest, quote)) return quote.size();
  }
  return 0;
}

void find_in_foreign_quotes(std::string_view text, std::size_t begin, Spans& spans) {
  std::size_t first_end = 0;
  std::size_t last = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xE0U) < 0xC0) continue;
    const std::size_t length = length_of_foreign_quote(text, at);
    if (length == 0) continue;
    if (first_end == 0) first_end = at + length;
    last = at;
  }
  if (first_end != 0) spans.push_back({first_end, last > first_end ? last : text.size(), PrivateKind::kData});
}

bool opens_single_quotes(std::string_view text, std::size_t at) { return at == 0 || !is_word(text[at - 1]); }

// `at`: of a quote. From behind it to before the last one; with the quote to the end if it is the only one.
std::size_t hide_to_last_quote(std::string_view text, std::size_t at, Spans& spans) {
  const std::size_t last = text.rfind(text[at]);
  if (last > at) {
    spans.push_back({at + 1, last, PrivateKind::kData});
    return last + 1;
  }
  spans.push_back({at, text.size(), PrivateKind::kData});
  return text.size();
}

void find_numbers(std::string_view text, std::size_t begin, Spans& spans) {
  for (std::size_t at = text.find("0x", begin); at != kNone; at = text.find("0x", at)) {
    const std::size_t first = at;
    for (at += 2; at < text.size() && is_hex_digit(text[at]);) ++at;
    spans.push_back({first, at, PrivateKind::kData});
  }
  constexpr std::string_view kValue = "value ";
  const std::size_t value = text.find(kValue, begin);
  if (value == kNone) return;
  std::size_t end = value + kValue.size();
  while (end < text.size() && (is_digit(text[end]) || text[end] == '-' || text[end] == '.')) ++end;
  spans.push_back({value + kValue.size(), end, PrivateKind::kData});
}

}  // namespace

void find_quoted_values(std::string_view text, std::size_t begin, Spans& spans) {
  find_numbers(text, begin, spans);
  find_in_foreign_quotes(text, begin, spans);
  for (std::size_t at = begin; (at = text.find_first_of("\"'", at)) != kNone;) {
    if (text[at] == '\'' && !opens_single_quotes(text, at)) {
      ++at;
      continue;
    }
    const std::size_t close = text.find(text[at], at + 1);
    const bool is_name = text[at] == '"' && close != kNone && is_behind_noun(text, at);
    at = is_name ? close + 1 : hide_to_last_quote(text, at, spans);
  }
}

}  // namespace pganalytics::logs
