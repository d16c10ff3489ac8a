// The dialect said as JSON Schema accepts what the host accepts, and nothing else.
#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/schema/schema.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <rapidjson/schema.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace pganalytics;
using schema::Schema;
using testing::must;

namespace {

namespace fs = std::filesystem;

// One of the two files, as any JSON Schema validator reads it.
class DialectSchema {
 public:
  explicit DialectSchema(const std::string& name)
      : document_(must(schema::parse_json(must(files::read(PGANALYTICS_SOURCE_DIR "/sdk/schema/" + name))))),
        compiled_(document_) {}

  [[nodiscard]] bool accepts(const std::string& text) const {
    rapidjson::Document document;
    document.Parse(text.c_str());
    REQUIRE_FALSE(document.HasParseError());
    rapidjson::SchemaValidator validator(compiled_);
    return document.Accept(validator);
  }

 private:
  rapidjson::Document document_;
  rapidjson::SchemaDocument compiled_;
};

struct Dialect {
  Schema::Purpose purpose;
  DialectSchema schema;

  // "" if both say the same.
  [[nodiscard]] std::string disagreement(const std::string& text) const {
    const auto parsed = Schema::parse(text, purpose);
    if (static_cast<bool>(parsed) == schema.accepts(text)) return "";
    return text + (parsed ? " is accepted by the host only" : " is refused by the host only: " + parsed.error().message);
  }
};

const Dialect& config() {
  static const Dialect dialect{Schema::Purpose::kConfig, DialectSchema("config_dialect.schema.json")};
  return dialect;
}

const Dialect& output() {
  static const Dialect dialect{Schema::Purpose::kOutput, DialectSchema("output_dialect.schema.json")};
  return dialect;
}

const std::vector<std::string> kKeywords = {"$schema", "$ref", "title", "description", "type", "properties", "required",
                                            "additionalProperties", "enum", "minimum", "maximum", "minLength", "maxLength",
                                            "pattern", "minItems", "maxItems", "items", "oneOf", "anyOf", "allOf", "definitions",
                                            "examples", "default", "format", "x-secret", "x-reload", "x-local", "x-deprecated",
                                            "x-kind", "x-unit", "x-source", "x-since", "x-family", "x-label", "x-cardinality-max",
                                            // none of the dialect
                                            "const", "exclusiveMinimum", "$defs", "$id", "if", "not", "patternProperties",
                                            "uniqueItems", "multipleOf", "dependencies", "x-other", ""};

const std::vector<std::string> kValues = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "1",
                                          "-1",
                                          "1.5",
                                          "[]",
                                          "{}",
                                          "[{}]",
                                          "[null]",
                                          "[\"a\"]",
                                          "[\"a\",1]",
                                          "\"\"",
                                          "\"a\"",
                                          "\"#\"",
                                          "\"object\"",
                                          "\"integer\"",
                                          "[\"integer\",\"null\"]",
                                          "[\"string\",\"null\"]",
                                          "[\"string\",\"text\"]",
                                          "\"duration\"",
                                          "\"date-time\"",
                                          "\"email\"",
                                          "\"live\"",
                                          "\"never\"",
                                          "\"gauge\"",
                                          "\"label\"",
                                          "\"speed\"",
                                          "{\"a\":{}}",
                                          "{\"a\":1}",
                                          "{\"format\":\"bytes\"}",
                                          "[{\"format\":\"bytes\"}]",
                                          "{\"a\":{\"format\":\"bytes\"}}",
                                          "{\"type\":\"number\"}",
                                          "{\"title\":1}",
                                          "[{\"anyOf\":[{\"type\":\"string\"}]}]",
                                          "{\"format\":{\"type\":\"string\"}}"};

// What surrounds a schema.
const std::vector<std::pair<std::string, std::string>> kPlaces = {
    {"", ""},
    {R"({"additionalProperties":false,"properties":{"p":)", "}}"},
    {R"({"items":)", "}"},
    {R"({"additionalProperties":)", "}"},
    {R"({"definitions":{"d":)", "}}"},
    {R"({"allOf":[)", "]}"},
    {R"({"oneOf":[{},)", "]}"},
    {R"({"anyOf":[{"additionalProperties":true,"properties":{"p":)", "}}]}"},
    {R"({"oneOf":[{"allOf":[{"items":)", "}]}]}"},
};

}  // namespace

TEST_CASE("every keyword, with every form of value, at every place, is judged as the host judges it") {
  std::size_t accepted = 0;
  std::vector<std::string> disagreements;
  for (const Dialect* const dialect : {&config(), &output()}) {
    for (const auto& [before, after] : kPlaces) {
      for (const std::string& keyword : kKeywords) {
        for (const std::string& value : kValues) {
          const std::string text = before + "{\"" + keyword + "\":" + value + "}" + after;
          const std::string disagreement = dialect->disagreement(text);
          if (!disagreement.empty()) disagreements.push_back(disagreement);
          if (dialect->schema.accepts(text)) ++accepted;
        }
      }
    }
  }
  CHECK(disagreements == std::vector<std::string>());
  CHECK(accepted > 3000);  // the table is not all refusals
}

TEST_CASE("rules about several keywords are the host's") {
  const std::vector<std::string> cases = {
      R"({"properties":{}})",
      R"({"properties":{},"additionalProperties":false})",
      R"({"items":{"properties":{}}})",
      R"({"type":"integer"})",
      R"({"type":"integer","x-kind":"gauge"})",
      R"({"type":"integer","x-unit":"By"})",
      R"({"type":"integer","x-kind":"gauge","x-unit":"By"})",
      R"({"type":["null","number"],"x-kind":"label"})",
      R"({"type":["null","number"],"x-kind":"event"})",
      R"({"type":["null","string"]})",
      R"({"oneOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"format":"bytes"}}})",
      R"({"definitions":{"a":{"type":"number"}},"anyOf":[{"type":"number","x-kind":"info"}]})",
      R"({"properties":{"format":{"type":"string"}},"additionalProperties":false})",
      R"({"anyOf":[{"properties":{"format":{"type":"string"}},"additionalProperties":false}]})",
  };
  for (const std::string& text : cases) {
    CHECK(config().disagreement(text) == "");
    CHECK(output().disagreement(text) == "");
  }
}

TEST_CASE("what only the host refuses is what the files say it is") {
  std::string deep = "{}";
  for (int level = 0; level < 25; ++level) deep = R"({"items":)" + deep + "}";
  for (const std::string& text : {std::string(R"({"$ref":"#/definitions/none"})"), std::string(R"({"pattern":"["})"), deep}) {
    INFO(text);
    CHECK(config().schema.accepts(text));
    CHECK_FALSE(Schema::parse(text, Schema::Purpose::kConfig));
  }
}

TEST_CASE("the schemas of every plugin in this tree pass") {
  std::size_t seen = 0;
  for (const char* const folder : {"plugins", "sdk/template", "sdk/examples"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(PGANALYTICS_SOURCE_DIR) / folder)) {
      const std::string name = entry.path().filename().string();
      if (name != "config.schema.json" && name != "output.schema.json") continue;
      INFO(entry.path().string());
      CHECK((name[0] == 'c' ? config() : output()).schema.accepts(must(files::read(entry.path().string()))));
      ++seen;
    }
  }
  CHECK(seen >= 14);
}
