// Which regular expressions a plugin's schema may use: those that mean to RapidJSON what they mean to everybody, and that it can
// be given. Its own parser asserts on some, runs out of memory on others ("a{4000000000}") and reads anchors anywhere as if at
// the ends; its matcher never comes back from "(a?)*".
#pragma once

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::schema {

// Characters, ".", classes, groups, "|", "? * + {n} {n,} {n,m}", "^" first and "$" last, escapes of the special characters and \f
// \n \r \t \v. Everything else is refused with a reason ("has nothing to repeat"), and what grows beyond 2,000 states or can be
// empty in many ways.
Outcome check_pattern(std::string_view pattern);

}  // namespace pganalytics::schema
