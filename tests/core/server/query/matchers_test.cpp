#include "core/server/query/matchers.h"

#include "tests/support/catch.h"

using namespace pganalytics::server::query;
using Is = pganalytics::server::store::LabelMatch::Is;

namespace {

std::string refusal_of(const std::string& text) {
  const auto matchers = parse_matchers(text);
  return matchers ? "" : matchers.error().message;
}

}  // namespace

TEST_CASE("matchers: four comparisons, blanks, escapes") {
  const auto matchers = parse_matchers(R"(a="x",b_2!="", C ~ "w*" ,_d!~"q\"\\,=")");
  REQUIRE(matchers);
  REQUIRE(matchers.value().size() == 4);
  const auto check = [&](std::size_t i, const char* label, Is is, const char* value) {
    CHECK(matchers.value()[i].label == label);
    CHECK(matchers.value()[i].is == is);
    CHECK(matchers.value()[i].value == value);
  };
  check(0, "a", Is::kEqual, "x");
  check(1, "b_2", Is::kNotEqual, "");
  check(2, "C", Is::kLike, "w*");
  check(3, "_d", Is::kNotLike, R"(q"\,=)");
  CHECK(parse_matchers("").value().empty());
  CHECK(parse_matchers("a=\"\xC3\xA4 'x'; drop table --\"").value()[0].value == "\xC3\xA4 'x'; drop table --");
}

TEST_CASE("matchers that are none are refused with the place") {
  for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a", "at character 2: one of = != ~ !~ is missing"},
           {"=\"x\"", "at character 1: the name of a label is missing"},
           {"1a=\"x\"", "at character 1: the name of a label is missing"},
           {"a=x", "at character 3: a value in double quotes is missing"},
           {"a=\"x", "at character 5: the closing double quote is missing"},
           {"a=\"x\\", "at character 6: \\ stands before \" and \\ only"},
           {"a=\"\\n\"", "at character 5: \\ stands before \" and \\ only"},
           {"a=\"x\" b=\"y\"", "at character 7: a comma is missing"},
           {"a=\"x\",", "at character 7: the name of a label is missing"},
           {",a=\"x\"", "at character 1: the name of a label is missing"},
           {"a==\"x\"", "at character 3: a value in double quotes is missing"},
           {"a=~\"x\"", "at character 4: there are no regular expressions; ~\"web*\" is a pattern with * and ?"}}) {
    CAPTURE(text);
    CHECK(refusal_of(text) == message);
  }
  CHECK(refusal_of(std::string("a=\"x\0y\"", 7)) == "at character 5: a zero byte");
  CHECK(refusal_of("a=\"" + std::string(2'048, 'x') + "\"") == "is longer than 2048 bytes");
  std::string many = "a=\"x\"";
  for (std::size_t i = 1; i < kMatchersMax; ++i) many += ",a=\"x\"";
  CHECK(parse_matchers(many).value().size() == kMatchersMax);
  CHECK(refusal_of(many + ",a=\"x\"").find("more than 32 matchers") != std::string::npos);
}

TEST_CASE("a pattern's * and ? are LIKE's, and what LIKE means by others is itself") {
  CHECK(like_pattern("web*_?100%\\") == "web%\\__100\\%\\\\");
}
