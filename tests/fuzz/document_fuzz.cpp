// What a plugin emits, under an output schema: the input is a schema, a byte 0xFF, which is in no JSON, and a document;
// without that byte a document under a schema with everything in it. What passes is an object with the plugin's type and a
// time.
// links: pganalytics::host
#include "core/host/document.h"

#include "core/schema/json_text.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics;
using schema::Schema;

namespace {

constexpr std::string_view kSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["type", "timestamp"],
  "definitions": {"size": {"type": "integer", "minimum": 0, "maximum": 1000, "x-kind": "gauge", "x-unit": "By"}},
  "properties": {
    "type": {"type": "string", "enum": ["disk"], "x-kind": "info"},
    "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
    "rows": {"type": "array", "x-family": "row", "minItems": 1, "maxItems": 4, "items": {"type": "object", "additionalProperties": false,
      "properties": {"name": {"type": "string", "pattern": "^[a-z]{1,8}$", "x-kind": "label", "x-label": true},
        "size_bytes": {"$ref": "#/definitions/size"},
        "ratio": {"type": ["number", "null"], "minimum": 0, "maximum": 1, "x-kind": "gauge", "x-unit": "1"}}}},
    "either": {"anyOf": [{"type": "boolean", "x-kind": "gauge", "x-unit": "1"}, {"type": "string", "minLength": 2, "maxLength": 5, "x-kind": "info"}]},
    "errors": {"type": "array", "items": {"type": "string", "x-kind": "info"}}
  }
})";

void check(std::string_view document, const Schema& output) {
  if (!host::check_document(document, "disk", output)) return;
  const auto value = schema::parse_json(document);
  if (!value || !value.value().IsObject() || value.value()["type"] != "disk" || !value.value()["timestamp"].IsString())
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto fixed = Schema::parse(kSchema, Schema::Purpose::kOutput);
  if (!fixed) std::abort();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t parting = input.find('\xFF');
  if (parting == std::string_view::npos) {
    check(input, fixed.value());
  } else if (const auto output = Schema::parse(input.substr(0, parting), Schema::Purpose::kOutput)) {
    check(input.substr(parting + 1), output.value());
  }
  return 0;
}
