// A row of COPY TO STDOUT in text format, taken apart (PostgreSQL docs, COPY, "Text Format").
//
// Pure, no allocation but for texts that hold an escape. [any thread]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::postgres {

// The row's fields as they were sent, borrowed from `line`; NULL is nullopt. Tabs separate, and never stand inside a field.
void split_copy_line(std::string_view line, std::vector<std::optional<std::string_view>>& fields);

// A field's text. Borrowed from `field` where it has no escape, else from `buffer`.
std::string_view unescape_copy_field(std::string_view field, std::string& buffer);

}  // namespace pganalytics::postgres
