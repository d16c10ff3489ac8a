// What is private in the texts of a report of the server, beside credentials: which part of a message is a statement, a value, or
// somebody else's words.
//
// The wording is that of PostgreSQL 14 to 18 in English (src/backend, src/pl, contrib/auto_explain). Of a wording that is not
// known, everything in quotes is a value, unless a word of the server before it says that it names something ("relation "t"").
// Pure; any thread.
#pragma once

#include "plugins/logs/event.h"
#include "plugins/logs/privacy/spans.h"

#include <string_view>

namespace pganalytics::logs {

// Not the server's own words: output without a severity, and what functions say. A function is recognised by RAISE's SQLSTATEs,
// those that PostgreSQL does not have, and the CONTEXT or LOCATION of a RAISE or of another language; with log_error_verbosity =
// terse, text that a function raises at LOG is not.
bool is_foreign(const Event& event);

// `has_class`: the message is of a class that we know.
void find_in_message(const Event& event, bool has_class, Spans& spans);
void find_in_detail(const Event& event, Spans& spans);
void find_in_context(std::string_view context, Spans& spans);

}  // namespace pganalytics::logs
