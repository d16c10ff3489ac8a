#include "document_check.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <string>

namespace pganalytics::testing {
namespace {

constexpr unsigned kStrict = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

Error invalid(const std::string& why) { return Error{PGA_E_FAIL, "document.invalid", why, "", 0}; }

Outcome parse(std::string_view json, rapidjson::Document& document) {
  document.Parse<kStrict>(json.data(), json.size());
  if (document.HasParseError()) {
    return invalid("not JSON at byte " + std::to_string(document.GetErrorOffset()) + ": " +
                   rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (!document.IsObject()) return invalid("not a JSON object");
  return {};
}

std::string pointer_text(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer text;
  pointer.Stringify(text);
  return text.GetSize() == 0 ? "the document" : std::string(text.GetString(), text.GetSize());
}

// "2026-02-03T04:05:06.789Z": the shape only; the real host checks the calendar too.
bool looks_like_timestamp(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size() || text.back() != 'Z') return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return false;
  }
  return true;
}

}  // namespace

Outcome check_json_object(std::string_view json) {
  rapidjson::Document document;
  return parse(json, document);
}

Outcome check_document(std::string_view json, std::string_view plugin_id, std::string_view output_schema) {
  rapidjson::Document document;
  PGA_CHECK(parse(json, document));
  const auto type = document.FindMember("type");
  if (type == document.MemberEnd() || !type->value.IsString() || plugin_id != type->value.GetString()) {
    return invalid("\"type\" is not \"" + std::string(plugin_id) + "\"");
  }
  const auto timestamp = document.FindMember("timestamp");
  if (timestamp == document.MemberEnd() || !timestamp->value.IsString() || !looks_like_timestamp(timestamp->value.GetString())) {
    return invalid("\"timestamp\" is no RFC 3339 time in UTC");
  }
  rapidjson::Document schema_text;
  if (auto parsed = parse(output_schema, schema_text); !parsed) return std::move(parsed).error().while_doing("output_schema");
  const rapidjson::SchemaDocument schema(schema_text);
  rapidjson::SchemaValidator validator(schema);
  if (document.Accept(validator)) return {};
  return invalid(pointer_text(validator.GetInvalidDocumentPointer()) + " breaks \"" + validator.GetInvalidSchemaKeyword() +
                 "\" of " + pointer_text(validator.GetInvalidSchemaPointer()) + " in output_schema");
}

}  // namespace pganalytics::testing
