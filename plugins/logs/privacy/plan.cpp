#include "plugins/logs/privacy/plan.h"

#include "plugins/logs/privacy/characters.h"
#include "plugins/logs/privacy/statement.h"

#include <algorithm>
#include <iterator>

namespace pganalytics::logs {
namespace {

// Keys of EXPLAIN's JSON (src/backend/commands/explain.c) whose values are words of the server or names.
constexpr std::string_view kKeysOfNames[] = {"Node Type",
                                             "Strategy",
                                             "Partial Mode",
                                             "Operation",
                                             "Parent Relationship",
                                             "Subplan Name",
                                             "Join Type",
                                             "Scan Direction",
                                             "Index Name",
                                             "Relation Name",
                                             "Schema",
                                             "Alias",
                                             "Function Name",
                                             "CTE Name",
                                             "Tuplestore Name",
                                             "Command",
                                             "Sort Method",
                                             "Sort Space Type",
                                             "Custom Plan Provider",
                                             "Constraint Name",
                                             "Trigger Name",
                                             "Relation"};

struct JsonString {
  std::size_t begin = 0;  // behind the quote
  std::size_t end = 0;    // the quote that closes it, or the text's end
};

JsonString json_string_at(std::string_view text, std::size_t quote) {
  std::size_t end = quote + 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return {quote + 1, std::min(end, text.size())};
}

void find_in_value(std::string_view text, std::string_view key, const JsonString& value, Spans& spans) {
  if (std::find(std::begin(kKeysOfNames), std::end(kKeysOfNames), key) != std::end(kKeysOfNames)) return;
  const std::string_view content = text.substr(value.begin, value.end - value.begin);
  const bool has_escaped_backslash =
      content.find("\\\\") != std::string_view::npos || content.find("\\u") != std::string_view::npos;
  if (key == "Query Parameters") {
    spans.push_back({value.begin, value.end, PrivateKind::kParameter});
  } else if (has_escaped_backslash) {  // of which the scanner of SQL would make something else
    spans.push_back({value.begin, value.end, PrivateKind::kLiteral});
  } else {
    find_literals(text.substr(0, value.end), value.begin, StatementEnd::kText, spans);
  }
}

void find_in_json(std::string_view text, std::size_t begin, Spans& spans) {
  std::string_view key;
  for (std::size_t quote = begin; (quote = text.find('"', quote)) != std::string_view::npos;) {
    const JsonString string = json_string_at(text, quote);
    quote = string.end + 1;
    const std::size_t next = skip_blanks(text, quote);
    if (next < text.size() && text[next] == ':') {
      key = text.substr(string.begin, string.end - string.begin);
    } else {
      find_in_value(text, key, string, spans);
    }
  }
}

}  // namespace

void find_in_plan(std::string_view text, std::size_t begin, Spans& spans) {
  spans.push_back({begin, text.size(), PrivateKind::kStatement});
  const std::string_view plan = text.substr(skip_blanks(text, begin));
  if (begins_with(plan, "{")) {
    find_in_json(text, begin, spans);
  } else if (begins_with(plan, "<explain") || (begins_with(plan, "Query Text: ") && !begins_with(plan, "Query Text: \""))) {
    find_literals(text, begin, StatementEnd::kText, spans);
  } else {
    spans.push_back({begin, text.size(), PrivateKind::kLiteral});
  }
}

}  // namespace pganalytics::logs
