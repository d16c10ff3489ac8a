#include "core/schema/compilable.h"

#include "core/schema/schema.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using schema::Schema;

namespace {

std::string complaint(const std::string& text) {
  const auto parsed = Schema::parse(text, Schema::Purpose::kConfig);
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("references that lead nowhere, anywhere else, or in a circle are refused instead of followed") {
  for (const char* text : {
           R"({"$ref":""})",
           R"({"$ref":"a"})",
           R"({"$ref":"#"})",
           R"({"$ref":"#a~2"})",
           R"({"$ref":"#/definitions/none"})",
           R"({"$ref":"#/title","title":"x"})",
           R"({"items":{"$ref":"#/items"}})",
           R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/a"}}})",
           R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"items":{"$ref":"#/definitions/a"}}}})",
           R"({"default":{"$ref":"#/default"}})",
           R"({"default":{"a":{"$ref":"#/definitions/a"}},"definitions":{}})",
       }) {
    INFO(text);
    CHECK_FALSE(complaint(text).empty());
  }
  CHECK(complaint(R"({"items":{"$ref":"#/definitions/none"}})").find("'#/definitions/none', which is not here") !=
        std::string::npos);
}

TEST_CASE("a definition may be used many times and refer to others") {
  CHECK(complaint(R"({"type":"object","additionalProperties":false,
    "properties":{"x":{"$ref":"#/definitions/b"},"y":{"$ref":"#/definitions/b"},"$ref":{"type":"string"}},
    "definitions":{"a":{"type":"string"},"b":{"type":"array","items":{"$ref":"#/definitions/a"}}}})")
            .empty());
}

TEST_CASE("references that multiply are refused before they are followed") {
  std::string text = R"({"$ref":"#/definitions/d0","definitions":{"d16":{"type":"string"})";
  for (int i = 0; i < 16; ++i) {
    const std::string next = R"({"$ref":"#/definitions/d)" + std::to_string(i + 1) + "\"}";
    text += ",\"d" + std::to_string(i) + "\":{\"allOf\":[" + next + "," + next + "," + next + "]}";
  }
  CHECK_FALSE(complaint(text + "}}").empty());
}
