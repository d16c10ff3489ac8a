#include "core/schema/pattern.h"

#include "core/schema/schema.h"
#include "tests/support/catch.h"

#include <string>

using namespace pganalytics;
using schema::check_pattern;

TEST_CASE("patterns that mean the same everywhere pass") {
  for (const char* pattern :
       {"a",        "^a$",  "^[a-z][a-z0-9_]{1,31}$",   "^(a|bc)*$",    "a|b",        "^\\$\\{x\\}\\$$", "ü+",
        "^[^/-]+$", "[a-]", "^x{3}y{2,}z{0,4}$",        "^((a|b)?c)+$", "^\\\\$",     "^\\\\\\$",        ".",
        "]",        "}",    "a?b?c?d?e?f?g?h?i?j?k?l?", "(a?){30}",     "(a?|b?){6}", "(ab?)*(c|d?e)+"}) {
    INFO(pattern);
    const auto outcome = check_pattern(pattern);
    INFO((outcome ? "" : outcome.error().message));
    CHECK(outcome);
  }
}

TEST_CASE("patterns that a parser chokes on, or that mean something else elsewhere, are refused with the reason") {
  const std::pair<const char*, const char*> cases[] = {{"", "is empty"},
                                                       {"^$", "is empty"},
                                                       {"()", "empty group"},
                                                       {"(c|)b", "empty group"},
                                                       {"a||b", "empty group"},
                                                       {"|", "empty"},
                                                       {"(", "empty"},
                                                       {"(a", "not closed"},
                                                       {"a)", "not opened"},
                                                       {"*a", "nothing to repeat"},
                                                       {"a**", "repeats a repetition"},
                                                       {"(a?)*", "repeats without end"},
                                                       {"^(a|b?)*c{5}$", "repeats without end"},
                                                       {"(a{0,2}){1,}", "repeats without end"},
                                                       {"((a|b?)(c*))+", "repeats without end"},
                                                       {"x(a?|b?){20}y", "too many ways"},
                                                       {"((a|b?)|(c|d?)){9}", "too many ways"},
                                                       {"{2}", "nothing to repeat"},
                                                       {"a{", "repetition"},
                                                       {"a{0}", "repetition"},
                                                       {"a{2,1}", "repetition"},
                                                       {"a{4000000000}", "9999"},
                                                       {"a{9999}", "too large"},
                                                       {"((a{90}){90})", "too large"},
                                                       {"[", "not closed"},
                                                       {"[]", "empty class"},
                                                       {"[z-a]", "low to high"},
                                                       {"a^b", "neither first"},
                                                       {"a$b", "neither first"},
                                                       {"^a|b$", "group"},
                                                       {"\\d+", "unknown escape"},
                                                       {"a\\", "unknown escape"},
                                                       {"(?:a)", "begins with '?'"},
                                                       {"[[:digit:]]", "in a class"}};
  for (const auto& [pattern, reason] : cases) {
    INFO(pattern);
    const auto outcome = check_pattern(pattern);
    REQUIRE_FALSE(outcome);
    CHECK_THAT(outcome.error().message, Catch::Contains(reason));
  }
  CHECK_FALSE(check_pattern(std::string(20, '(') + "a" + std::string(20, ')')));
}

TEST_CASE("a pattern in data is compiled too, so it is checked too") {
  using schema::Schema;
  CHECK_FALSE(Schema::parse(R"({"default":{"pattern":"(c|)b"}})", Schema::Purpose::kConfig));
  CHECK(Schema::parse(R"({"default":{"pattern":"plain"}})", Schema::Purpose::kConfig));
}
