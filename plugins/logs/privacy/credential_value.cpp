#include "plugins/logs/privacy/credential_value.h"

#include "plugins/logs/privacy/characters.h"
#include "plugins/logs/privacy/statement.h"

#include <algorithm>

namespace pganalytics::logs {
namespace {

// Bounds of what is looked at for each word, so that a text full of words takes linear time.
constexpr std::size_t kMaxSuffixBytes = 32;  // of "secret" in secret_access_key
constexpr std::size_t kMaxGapBytes = 256;

bool ends_value(std::string_view text, std::size_t at) {
  return at >= text.size() || is_blank(text[at]) || std::string_view(",);:]}\"'").find(text[at]) != std::string_view::npos;
}

std::size_t run_of_quotes(std::string_view text, std::size_t at) {
  const std::size_t end = text.find_first_not_of('\'', at);
  return std::min(end, text.size()) - at;
}

// A value in quotes that are doubled, because the text around it is a literal itself: ''x'', or ''''x'''' one literal further in.
// Quotes within it are runs of a multiple of twice as many. With those a value may begin as well: then it is not known which they
// are, and the value never ends.
std::size_t end_of_nested(std::string_view text, std::size_t at, std::size_t quotes) {
  constexpr std::size_t kMostQuotes = 8;
  const bool is_power_of_two = (quotes & (quotes - 1)) == 0;
  if (!is_power_of_two || quotes > kMostQuotes) return text.size();
  std::size_t next = at + quotes;
  while ((next = text.find('\'', next)) != std::string_view::npos) {
    const std::size_t run = run_of_quotes(text, next);
    const bool escaped = text[next - 1] == '\\' || run % (2 * quotes) == 0;
    if (run >= quotes && !escaped) return next + quotes;
    next += run;
  }
  return text.size();
}

// `at`: a single quote. It may open the value; close the literal that the word stands in, and what is joined to it is the value;
// or be the first of several.
std::size_t end_of_quoted_value(std::string_view text, std::size_t at) {
  const std::size_t quotes = run_of_quotes(text, at);
  if (quotes % 2 == 0) {
    const std::size_t end = end_of_nested(text, at, quotes);
    const bool is_empty_string = quotes == 2 && ends_value(text, at + 2) && text.find('\'', at + 2) == std::string_view::npos;
    return is_empty_string ? at + 2 : end;
  }
  const std::size_t inside = skip_blanks(text, at + 1);
  const bool joined =
      begins_with(text.substr(inside), "||") || (inside < text.size() && (text[inside] == ',' || text[inside] == ')'));
  return joined ? text.size() : end_of_literal(text, at);
}

// JSON's strings: a backslash escapes.
std::size_t end_of_double_quoted(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// $1, ?: a place for a value.
bool is_placeholder(std::string_view value) {
  if (value == "?") return true;
  return value.size() > 1 && value[0] == '$' && std::all_of(value.begin() + 1, value.end(), is_digit);
}

struct Assignment {
  std::size_t value = 0;
  bool assigned = false;
  bool whole_rest = false;  // what the setting was changed to goes to the end of the message
};

// `of_key`: of a key in quotes, which a comma may stand behind: json_build_object('password', value).
Assignment assignment_at(std::string_view text, std::size_t at, bool of_key) {
  Assignment found;
  found.value = skip_gap(text, at);
  const std::string_view rest = text.substr(found.value);
  if (begins_with_word(rest, "changed to ")) return {skip_gap(text, found.value + 11), true, true};
  if (begins_with_word(rest, "to ")) found.value = skip_gap(text, found.value + 3);
  const std::string_view signs_of_assignment = of_key ? "=:>," : "=:>";
  const std::size_t signs = found.value;
  while (found.value < text.size() && signs_of_assignment.find(text[found.value]) != std::string_view::npos) ++found.value;
  found.assigned = found.value > signs;
  if (found.assigned) found.value = skip_gap(text, found.value);
  return found;
}

// So that redacting twice is redacting once.
bool is_redacted(std::string_view text, std::size_t at) {
  return begins_with(text.substr(at), kRedacted) && ends_value(text, at + kRedacted.size());
}

// Does the quote at `at`, behind the word, end a text that is a key? PASSWORD'x' is a value.
bool closes_key(std::string_view text, const Keyword& keyword, std::size_t at) {
  if (at >= text.size()) return false;
  if (text[at] == '"' || begins_with(text.substr(at), "\\\"")) return true;
  const bool is_word_of_sql = at == keyword.end && (keyword.begin == 0 || is_blank(text[keyword.begin - 1]));
  return text[at] == '\'' && !is_word_of_sql;
}

ValueRange bare_value(std::string_view text, std::size_t at) {
  const std::size_t end = end_of_bare_value(text, at);
  if (end == at) return {};
  const std::size_t trimmed = text.find_last_not_of(",);", end - 1) + 1;
  return is_placeholder(text.substr(at, std::max(trimmed, at) - at)) ? ValueRange{} : ValueRange{at, end};
}

}  // namespace

std::size_t skip_gap(std::string_view text, std::size_t at) {
  const std::size_t limit = std::min(text.size(), at + kMaxGapBytes);
  while (at < limit) {
    const std::size_t comment = end_of_comment(text.substr(0, limit), at);
    if (comment == at && !is_blank(text[at])) return at;
    at = comment == at ? at + 1 : comment;
  }
  return at < text.size() && limit < text.size() ? text.size() : at;
}

std::size_t end_of_bare_value(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_blank(text[at])) {
    const char c = text[at];
    if (c == '\'') {
      const std::size_t run = run_of_quotes(text, at);
      if (run % 2 == 1 && ends_value(text, at + run)) return at + run - 1;
      at += run;
    } else {
      at += c == '\\' ? 2 : 1;
    }
  }
  return std::min(at, text.size());
}

ValueRange value_after(std::string_view text, const Keyword& keyword) {
  std::size_t at = keyword.end;
  const std::size_t suffix_limit = std::min(text.size(), at + kMaxSuffixBytes);
  while (at < suffix_limit && is_word(text[at])) ++at;
  const bool is_key = closes_key(text, keyword, at);
  if (is_key) at += text[at] == '\\' ? 2 : 1;
  const Assignment assignment = assignment_at(text, at, is_key);
  const std::size_t value = assignment.value;
  if (value >= text.size()) return skip_blanks(text, at) < text.size() ? ValueRange{at, text.size()} : ValueRange{};
  if ((is_key && !assignment.assigned) || is_redacted(text, value)) return {};
  if (assignment.whole_rest) return {value, text.size()};
  const char c = text[value];
  if (c == '\'') return {value, end_of_quoted_value(text, value)};
  // An escaped quote, or format('... password %L', ...): what is around decides where it ends.
  const bool escaped = c == '\\' && value + 1 < text.size() && (text[value + 1] == '"' || text[value + 1] == '\'');
  if (escaped || c == '%') return {value, text.size()};
  if (c == '"' && (assignment.assigned || keyword.takes_names)) return {value, end_of_double_quoted(text, value)};
  if (!is_digit(c) && c != '.') {
    if (const std::size_t end = end_of_literal(text, value); end != value) return {value, end};
  }
  return assignment.assigned ? bare_value(text, value) : ValueRange{};
}

}  // namespace pganalytics::logs
