#include "core/host/document.h"

#include <string>

#include "core/clock/clock.h"
#include "core/schema/json_text.h"

namespace pganalytics::host {
namespace {

Error invalid(const char* code, const std::string& why) { return Error{PGA_E_FAIL, code, why, "", 0}; }

// The member's text; nullopt if it is missing or no string.
std::optional<std::string_view> text_member(const rapidjson::Document& document, const char* name) {
  const auto member = document.FindMember(name);
  if (member == document.MemberEnd() || !member->value.IsString()) return std::nullopt;
  return std::string_view(member->value.GetString(), member->value.GetStringLength());
}

}  // namespace

Outcome check_document(std::string_view json, std::string_view plugin_id, const schema::Schema& output_schema) {
  const auto document = schema::parse_json(json);
  if (!document) return invalid("document.malformed", "a document is malformed: " + document.error().message);
  if (!document->IsObject()) return invalid("document.malformed", "a document is not a JSON object");
  if (text_member(*document, "type") != plugin_id) {
    return invalid("document.type", "a document's \"type\" is not \"" + std::string(plugin_id) + "\"");
  }
  const auto timestamp = text_member(*document, "timestamp");
  if (!timestamp || !clock::parse_rfc3339(*timestamp)) {
    return invalid("document.timestamp", "a document's \"timestamp\" is no RFC 3339 time");
  }
  if (const auto valid = output_schema.validate(*document); !valid) {
    return invalid("document.schema", "a document breaks the plugin's output schema: " + valid.error().message);
  }
  return {};
}

}  // namespace pganalytics::host
