// Label matchers, as people write them: schema_name="public",table_name!~"tmp_*".
//
//     matchers = matcher *( "," matcher )
//     matcher  = name ( "=" | "!=" | "~" | "!~" ) value
//     name     = ( letter | "_" ) *( letter | digit | "_" )
//     value    = '"' *( any character but '"' and '\' | '\"' | '\\' ) '"'
//
// Blanks may stand around each of them. "~" means that the value is a pattern: "*" is any text, "?" one character, all else
// itself; there are no regular expressions, because a pattern must not cost more than a look at the label. [any thread]
#pragma once

#include "core/server/store/series.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::query {

struct Matcher {
  std::string label;
  store::LabelMatch::Is is = store::LabelMatch::Is::kEqual;
  std::string value;  // as written, its escapes resolved
};

inline constexpr std::size_t kMatchersMax = 32;
inline constexpr std::size_t kMatchersBytes = 2'048;

// "" has none. PGA_E_CONFIG with the place (the first character is 1): not of this form, zero bytes, or more than the limits.
Expected<std::vector<Matcher>> parse_matchers(std::string_view text);

// The pattern in SQL's LIKE, with its escape character "\".
std::string like_pattern(std::string_view pattern);

}  // namespace pganalytics::server::query
