// Values in the sentences of the server. Pure; any thread.
#pragma once

#include "plugins/logs/privacy/spans.h"

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

// Adds what stands in quotes in text[begin..], of any language's quotes, unless a word before says that it is a name: in
// `column "c": "x"`, x. Where a value ends that holds quotes itself is not known: it goes on to the last one. Adds numbers that
// are values, too: bytes in hexadecimal, `value 7 is out of bounds`.
void find_quoted_values(std::string_view text, std::size_t begin, Spans& spans);

}  // namespace pganalytics::logs
