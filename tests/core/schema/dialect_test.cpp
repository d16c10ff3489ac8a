#include "core/schema/schema.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using schema::Schema;

namespace {

std::string complaint(std::string_view text, Schema::Purpose purpose = Schema::Purpose::kConfig) {
  const auto parsed = Schema::parse(text, purpose);
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("a keyword outside the dialect is refused by name and place, because it would be ignored") {
  for (const char* keyword : {"const", "exclusiveMinimum", "$defs", "if", "patternProperties", "uniqueItems"}) {
    const std::string text =
        std::string(R"({"type":"object","properties":{"a":{")") + keyword + R"(":1}},"additionalProperties":false})";
    const std::string message = complaint(text);
    INFO(message);
    CHECK(message.find(keyword) != std::string::npos);
    CHECK(message.find("properties/a") != std::string::npos);
  }
}

TEST_CASE("malformed keywords, dead references and unknown formats are refused") {
  for (const char* inner :
       {R"({"type":"text"})", R"({"minLength":-1})", R"({"enum":[]})", R"({"$ref":"#/definitions/none"})", R"({"pattern":"["})",
        R"({"format":"email"})", R"({"oneOf":[{"type":"string","format":"duration"}]})", R"({"x-reload":"never"})", "[]"}) {
    INFO(inner);
    CHECK_FALSE(complaint(std::string(R"({"properties":{"a":)") + inner + R"(},"additionalProperties":false})").empty());
  }
}

TEST_CASE("a configuration schema must say whether it is open") {
  CHECK_FALSE(complaint(R"({"properties":{"a":{"type":"string"}}})").empty());
  CHECK(complaint(R"({"properties":{"a":{"type":"string"}},"additionalProperties":false})").empty());
}

TEST_CASE("a number in the output says what it counts and in which unit") {
  const auto output = Schema::Purpose::kOutput;
  CHECK(complaint(R"({"properties":{"n":{"type":"integer"}}})", output).find("x-kind") != std::string::npos);
  CHECK(complaint(R"({"properties":{"n":{"type":["number","null"],"x-kind":"gauge"}}})", output).find("x-unit") !=
        std::string::npos);
  CHECK(complaint(R"({"properties":{"n":{"type":"integer","x-kind":"counter","x-unit":"By"}}})", output).empty());
  CHECK(complaint(R"({"properties":{"pid":{"type":"integer","x-kind":"label"}}})", output).empty());
}
