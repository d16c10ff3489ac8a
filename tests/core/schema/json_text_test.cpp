#include "core/schema/json_text.h"

#include "tests/support/catch.h"

using namespace pganalytics;

namespace {

std::string code_of(std::string_view text, const schema::JsonLimits& limits = {}) {
  const auto parsed = schema::parse_json(text, limits);
  return parsed ? "ok" : parsed.error().code;
}

}  // namespace

TEST_CASE("JSON text becomes a document and the numbers keep their value") {
  const auto document = schema::parse_json(R"({"a":[1,-9223372036854775808,18446744073709551615,0.1],"b":null})");
  REQUIRE(document);
  CHECK(schema::to_text(*document) == R"({"a":[1,-9223372036854775808,18446744073709551615,0.1],"b":null})");
}

TEST_CASE("what is not one JSON value is a syntax error that says where") {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{} {}"), std::string("[1,]"), std::string("{'a':1}"), std::string("nan"),
        std::string("[NaN]"), std::string("{}\0{}", 5), std::string("\"\xFF\""), std::string("\"\xED\xA0\x80\"")}) {
    INFO(text);
    CHECK(code_of(text) == "json.syntax");
  }
  CHECK(schema::parse_json("[1,]").error().message.find("at byte 3") != std::string::npos);
}

TEST_CASE("a key twice in one object is refused, in two objects it is fine") {
  CHECK(code_of(R"({"a":1,"b":{"c":1,"c":2}})") == "json.duplicate_key");
  CHECK(code_of(R"([{"a":1},{"a":1}])") == "ok");
}

TEST_CASE("depth, size and keys are limited before they hurt") {
  CHECK(code_of(std::string(32, '[') + std::string(32, ']')) == "ok");
  CHECK(code_of(std::string(33, '[') + std::string(33, ']')) == "json.depth");
  CHECK(code_of(std::string(1'000'000, '[')) == "json.depth");
  schema::JsonLimits limits;
  limits.bytes = 10;
  CHECK(code_of("[1,2,3,4,5]", limits) == "json.limit");
  limits.bytes = 100;
  limits.object_keys = 1;
  CHECK(code_of(R"({"a":1,"b":2})", limits) == "json.limit");
}

TEST_CASE("a document has as many keys, and as long ones, as the server takes") {
  std::string wide = R"({"a":0)";
  for (std::size_t i = 1; i < schema::kObjectKeys; ++i) wide += ",\"" + std::to_string(i) + "\":0";
  CHECK(code_of(wide + "}") == "ok");
  CHECK(code_of(wide + R"(,"b":0})") == "json.limit");
  const auto named = [](std::size_t bytes) { return R"([{")" + std::string(bytes, 'k') + R"(":1}])"; };
  CHECK(code_of(named(schema::kKeyBytes)) == "ok");
  CHECK(code_of(named(schema::kKeyBytes + 1)) == "json.limit");
}

TEST_CASE("numbers are converted exactly, zeros with exponents too") {
  const auto value = [](const char* text) {
    const auto parsed = schema::parse_json(text);
    REQUIRE(parsed);
    return parsed->GetDouble();
  };
  CHECK(value("0e99") == 0);
  CHECK(value("0.0e300") == 0);
  CHECK(value("-0.0e-5") == 0);
  CHECK(value("0.1") == 0.1);
  CHECK(value("9007199254740993.0") == 9007199254740993.0);
  CHECK(value("1.7976931348623157e308") == 1.7976931348623157e308);
  CHECK(value("1e-400") == 0);
  CHECK(value("18446744073709551616") == 18446744073709551616.0);
  CHECK(code_of("[1e400]") == "json.limit");
  CHECK(code_of("[1.8e308]") == "json.limit");
  CHECK(code_of("[-1e400]") == "json.limit");
  const auto whole = schema::parse_json("[2147483648,-1,0]");
  REQUIRE(whole);
  CHECK((*whole)[0].IsInt64());
  CHECK((*whole)[1].IsInt());
  CHECK((*whole)[2].IsUint());
}
