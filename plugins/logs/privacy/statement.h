// Literals and comments in SQL, by the rules of the server's own scanner (src/backend/parser/scan.l; "Lexical Structure" in the
// documentation).
//
// A log does not say whether standard_conforming_strings was on, and may hold a statement in part: wherever two readings differ,
// and where something is not closed, everything up to the end counts as literal. Time is linear in the text. Pure; any thread.
#pragma once

#include "plugins/logs/privacy/spans.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace pganalytics::logs {

// `sql` with each literal as "?" and each comment as a blank: statements that differ in their values only become the same text.
// Literals are numbers and strings of every kind ('', E'', U&'', B'', X'', N'', $tag$$tag$). Keywords, names, "quoted names",
// $1 and operators stay. Masking twice is masking once.
std::string without_literals(std::string_view sql);

// What ends a statement that is part of a longer text.
enum class StatementEnd {
  kText,        // the text's end
  kQuotedLine,  // a double quote that a line ends with, as in "SQL statement "..."" of a CONTEXT
};

// Adds the literals and comments of the statement that begins at `begin`, as spans of `text`. Returns where it ends: at the
// quote, or the text's size.
std::size_t find_literals(std::string_view text, std::size_t begin, StatementEnd end, Spans& spans);

// End of the literal that begins at `at`, with the strings that continue it; `at` itself if none begins there.
std::size_t end_of_literal(std::string_view text, std::size_t at);

// End of the comment that begins at `at`; `at` itself if none begins there.
std::size_t end_of_comment(std::string_view text, std::size_t at);

// `open`: of a parenthesis. Behind the one that closes it, parentheses within literals and comments not counted; the text's size
// if there is none.
std::size_t end_of_parenthesis(std::string_view text, std::size_t open);

}  // namespace pganalytics::logs
