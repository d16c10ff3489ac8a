#include "core/schema/schema.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using schema::Schema;

namespace {

constexpr char kSchema[] = R"({
  "type": "object", "additionalProperties": false, "required": ["conninfo"],
  "definitions": {"level": {"type": "string", "enum": ["low", "high"], "default": "low"}},
  "properties": {
    "conninfo": {"type": "string", "format": "conninfo"},
    "timeout": {"type": "string", "format": "duration", "default": "5s"},
    "databases": {"type": "array", "items": {"type": "string", "minLength": 1}, "default": ["*"]},
    "level": {"$ref": "#/definitions/level"},
    "nested": {"type": "object", "additionalProperties": false, "default": {},
               "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}}}
  }
})";

Error failure(std::string_view json) {
  const auto parsed = Schema::parse(kSchema, Schema::Purpose::kConfig);
  REQUIRE(parsed);
  const auto document = schema::parse_json(json);
  REQUIRE(document);
  const Outcome outcome = parsed->validate(*document);
  return outcome ? Error{PGA_OK, "", "", "", 0} : outcome.error();
}

}  // namespace

TEST_CASE("a value that fits passes, and gets the defaults it lacks") {
  const auto parsed = Schema::parse(kSchema, Schema::Purpose::kConfig);
  REQUIRE(parsed);
  auto document = schema::parse_json(R"({"conninfo":"host=/tmp","timeout":"1m"})");
  REQUIRE(document);
  parsed->fill_defaults(*document);
  CHECK(schema::to_text(*document) ==
        R"({"conninfo":"host=/tmp","timeout":"1m","databases":["*"],"level":"low","nested":{"limit":10}})");
  CHECK(parsed->validate(*document));
}

TEST_CASE("an unknown key is named, with the nearest known one") {
  const Error error = failure(R"({"conninfo":"","timeot":"5s"})");
  CHECK(error.message == "unknown key 'timeot'");
  CHECK(error.hint.find("'timeout'") != std::string::npos);
  CHECK(failure(R"({"conninfo":"","nested":{"limits":1}})").message == "unknown key 'nested/limits'");
}

TEST_CASE("each complaint says where and what was expected") {
  CHECK(failure(R"({})").message == "'/' lacks 'conninfo'");
  CHECK(failure(R"({"conninfo":5})").message == R"('conninfo' must be of type "string" but is an integer)");
  CHECK(failure(R"({"conninfo":"","level":"mid"})").message == R"('level' must be one of ["low","high"])");
  CHECK(failure(R"({"conninfo":"","nested":{"limit":0}})").message == "'nested/limit' must have minimum 1");
  CHECK(failure(R"({"conninfo":"","databases":["a",""]})").message == "'databases/1' must have minLength 1");
}

TEST_CASE("formats are enforced") {
  const Error error = failure(R"({"conninfo":"","timeout":"5"})");
  CHECK(error.message == "'timeout': '5' is not a duration");
  CHECK_FALSE(error.hint.empty());
}
