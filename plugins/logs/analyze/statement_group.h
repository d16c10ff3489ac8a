// Statements that are the same but for their values. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::logs {

// `sql` without literals and comments, its blanks as one each, a list of values as one value: what statements are counted by.
// Shortened to `max_bytes`.
std::string statement_group(std::string_view sql, std::size_t max_bytes);

// The statement whose time a message tells: `duration: 12.5 ms  statement: ...` or `... execute name: ...`; nullopt for other
// messages, parse and bind among them.
std::optional<std::string_view> timed_statement(std::string_view message);

}  // namespace pganalytics::logs
