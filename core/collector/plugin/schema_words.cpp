#include "core/collector/plugin/schema_words.h"

#include "core/schema/dialect.h"
#include "core/schema/json_text.h"

#include <pganalytics/plugin.h>

#include <algorithm>
#include <utility>

namespace pganalytics::collector {
namespace {

using rapidjson::Value;

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

std::string joined(const Value& values, const char* between, std::string (*show)(const Value&)) {
  std::string text;
  for (const Value& value : values.GetArray()) text += (text.empty() ? "" : between) + show(value);
  return text;
}

std::string code(const Value& value) {
  return "`" + (value.IsString() ? std::string(text_of(value)) : schema::to_text(value)) + "`";
}

std::string plain(const Value& value) { return std::string(text_of(value)); }

bool has_text(const Value& values, std::string_view text) {
  return std::any_of(values.Begin(), values.End(), [&](const Value& value) { return text_of(value) == text; });
}

// A schema that leads to itself would go on for ever.
constexpr int kDepthMax = 4;

std::string words(const rapidjson::Document& root, const Value& schema, int depth) {
  const Value* const meant = schema::resolve(root, schema);
  if (meant == nullptr || depth > kDepthMax) return "any";
  if (const Value* const values = find_member(*meant, "enum")) {
    return values->Size() == 1 ? code((*values)[0]) : "one of " + joined(*values, ", ", code);
  }
  for (const char* const key : {"oneOf", "anyOf"}) {
    const Value* const choices = find_member(*meant, key);
    if (choices == nullptr) continue;
    std::string text;
    for (const Value& choice : choices->GetArray()) text += (text.empty() ? "" : " or ") + words(root, choice, depth + 1);
    return text;
  }
  const Value* const type = find_member(*meant, "type");
  if (const std::string format = text_member(*meant, "format"); !format.empty()) {
    const bool or_null = type != nullptr && type->IsArray() && has_text(*type, "null");
    return format + (or_null ? " or null" : "");
  }
  if (type == nullptr) return "any";
  if (type->IsArray()) return joined(*type, " or ", plain);
  const Value* const items = find_member(*meant, "items");
  if (text_of(*type) == "array" && items != nullptr) return "array of " + words(root, *items, depth + 1);
  return plain(*type);
}

std::string range(const Value* least, const Value* most, const char* what) {
  const auto text = [](const Value& value) { return schema::to_text(value); };
  const auto counted = [&](const Value& value) { return text(value) + what + (*what != '\0' && value != 1 ? "s" : ""); };
  if (least != nullptr && most != nullptr) return text(*least) + " to " + counted(*most);
  if (least != nullptr) return "at least " + counted(*least);
  return most == nullptr ? "" : "at most " + counted(*most);
}

}  // namespace

const Value* find_member(const Value& schema, const char* key) {
  if (!schema.IsObject()) return nullptr;
  const auto member = schema.FindMember(key);
  return member == schema.MemberEnd() ? nullptr : &member->value;
}

std::string text_member(const Value& schema, const char* key) {
  const Value* const member = find_member(schema, key);
  return member != nullptr && member->IsString() ? std::string(text_of(*member)) : "";
}

std::string type_words(const rapidjson::Document& root, const Value& schema) { return words(root, schema, 0); }

std::string bounds_words(const Value& schema) {
  const auto range_of = [&](const char* least, const char* most, const char* what) {
    return range(find_member(schema, least), find_member(schema, most), what);
  };
  std::string text = range_of("minimum", "maximum", "");
  for (const std::string& more :
       {range_of("minItems", "maxItems", " element"), range_of("minLength", "maxLength", " character")}) {
    if (!more.empty()) text += (text.empty() ? "" : ", ") + more;
  }
  return text;
}

std::string unit_of(std::string_view name, const Value& schema) {
  if (std::string unit = text_member(schema, "x-unit"); !unit.empty()) return unit;
  constexpr std::pair<std::string_view, const char*> kEndings[] = {
      {"_ms", "ms"}, {"_seconds", "s"}, {"_bytes", "By"}, {"_percent", "%"}};
  for (const auto& [ending, unit] : kEndings) {
    if (name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending) return unit;
  }
  return "";
}

bool is_required(const Value& object_schema, std::string_view name) {
  const Value* const required = find_member(object_schema, "required");
  return required != nullptr && has_text(*required, name);
}

std::string duration_words(std::int64_t ms) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}};
  constexpr std::int64_t kSecondsUpTo = 120'000;
  if (ms % 1'000 == 0 && ms <= kSecondsUpTo) return std::to_string(ms / 1'000) + "s";
  for (const auto& [unit, letter] : kUnits) {
    if (ms % unit == 0) return std::to_string(ms / unit) + letter;
  }
  return std::to_string(ms) + "ms";
}

std::string needs_words(std::uint32_t needs) {
  constexpr std::pair<std::uint32_t, const char*> kNeeds[] = {{PGA_NEED_PG, "PostgreSQL connections"},
                                                              {PGA_NEED_NET, "other network connections"},
                                                              {PGA_NEED_READ_FS, "reading the paths it is given"},
                                                              {PGA_NEED_PROC, "reading /proc and /sys"},
                                                              {PGA_NEED_EXEC, "running programs"}};
  std::string text;
  for (const auto& [bit, name] : kNeeds) {
    if ((needs & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace pganalytics::collector
