#include "core/schema/dialect.h"

#include "core/schema/compilable.h"
#include "core/schema/format.h"

#include <rapidjson/pointer.h>

#include <algorithm>
#include <string>

namespace pganalytics::schema {
namespace {

using rapidjson::Value;

constexpr unsigned kDepthMax = 24;

enum class Form { kSchema, kSchemas, kSchemaMap, kString, kNumber, kCount, kStrings, kType, kArray, kBool, kBoolOrSchema, kAny };

struct Keyword {
  std::string_view name;
  Form form;
};

constexpr Keyword kKeywords[] = {
    {"$schema", Form::kString},
    {"$ref", Form::kString},
    {"title", Form::kString},
    {"description", Form::kString},
    {"type", Form::kType},
    {"properties", Form::kSchemaMap},
    {"required", Form::kStrings},
    {"additionalProperties", Form::kBoolOrSchema},
    {"enum", Form::kArray},
    {"minimum", Form::kNumber},
    {"maximum", Form::kNumber},
    {"minLength", Form::kCount},
    {"maxLength", Form::kCount},
    {"pattern", Form::kString},
    {"minItems", Form::kCount},
    {"maxItems", Form::kCount},
    {"items", Form::kSchema},
    {"oneOf", Form::kSchemas},
    {"anyOf", Form::kSchemas},
    {"allOf", Form::kSchemas},
    {"definitions", Form::kSchemaMap},
    {"examples", Form::kArray},
    {"default", Form::kAny},
    {"format", Form::kString},
    {"x-secret", Form::kBool},
    {"x-reload", Form::kString},
    {"x-deprecated", Form::kBool},
    {"x-local", Form::kBool},
    {"x-kind", Form::kString},
    {"x-unit", Form::kString},
    {"x-source", Form::kString},
    {"x-since", Form::kString},
    {"x-family", Form::kString},
    {"x-label", Form::kBool},
    {"x-cardinality-max", Form::kCount},
};

constexpr std::string_view kTypes[] = {"object", "array", "string", "integer", "number", "boolean", "null"};
constexpr std::string_view kKinds[] = {"gauge", "counter", "updown", "label", "info", "event"};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

bool all_strings(const Value& value) {
  return value.IsArray() && std::all_of(value.Begin(), value.End(), [](const Value& element) { return element.IsString(); });
}

bool is_type(const Value& value) { return value.IsString() && is_one_of(text_of(value), kTypes); }

bool has_form(const Value& value, Form form) {
  switch (form) {
    case Form::kSchema: return value.IsObject();
    case Form::kSchemas: return value.IsArray() && !value.Empty();
    case Form::kSchemaMap: return value.IsObject();
    case Form::kString: return value.IsString();
    case Form::kNumber: return value.IsNumber();
    case Form::kCount: return value.IsUint64();
    case Form::kStrings: return all_strings(value);
    case Form::kType:
      return is_type(value) || (value.IsArray() && !value.Empty() && std::all_of(value.Begin(), value.End(), is_type));
    case Form::kArray: return value.IsArray() && !value.Empty();
    case Form::kBool: return value.IsBool();
    case Form::kBoolOrSchema: return value.IsBool() || value.IsObject();
    case Form::kAny: return true;
  }
  return false;
}

// Walks a schema with its place ("properties/size_bytes") for messages.
class DialectCheck {
 public:
  explicit DialectCheck(Schema::Purpose purpose) : purpose_(purpose) {}

  Outcome schema(const Value& value, const std::string& place, bool sole, unsigned depth) const {
    if (!value.IsObject()) return refuse(place, "is not an object");
    if (depth > kDepthMax) return refuse(place, "nests too deeply");
    for (const auto& member : value.GetObject()) PGA_CHECK(keyword(member, place, sole, depth));
    return whole(value, place);
  }

 private:
  Outcome refuse(const std::string& place, const std::string& why) const {
    const char* which = purpose_ == Schema::Purpose::kConfig ? "config schema" : "output schema";
    return Error{PGA_E_CONFIG, "schema.dialect", std::string(which) + " at '" + (place.empty() ? "/" : place) + "' " + why,
                 "See the schema dialect in docs/PLUGIN_GUIDE.md.", 0};
  }

  Outcome keyword(const Value::Member& member, const std::string& place, bool sole, unsigned depth) const {
    const std::string_view name = text_of(member.name);
    const auto* const known =
        std::find_if(std::begin(kKeywords), std::end(kKeywords), [&](const Keyword& k) { return k.name == name; });
    if (known == std::end(kKeywords))
      return refuse(place, "uses the keyword '" + std::string(name) + "', which is not in the dialect");
    if (!has_form(member.value, known->form)) return refuse(place, "has a malformed '" + std::string(name) + "'");
    PGA_CHECK(meaning(name, member.value, place, sole));
    return inside(*known, member.value, place.empty() ? std::string(name) : place + "/" + std::string(name), sole, depth);
  }

  Outcome meaning(std::string_view name, const Value& value, const std::string& place, bool sole) const {
    if (name == "format" && !is_known_format(text_of(value)))
      return refuse(place, "has the unknown format '" + std::string(text_of(value)) + "'");
    if (name == "format" && !sole) return refuse(place, "has a format inside oneOf or anyOf, where it cannot be enforced");
    if (name == "x-kind" && !is_one_of(text_of(value), kKinds))
      return refuse(place, "has the unknown x-kind '" + std::string(text_of(value)) + "'");
    if (name == "x-reload" && text_of(value) != "live" && text_of(value) != "restart")
      return refuse(place, "has an x-reload other than live or restart");
    return {};
  }

  Outcome inside(const Keyword& known, const Value& value, const std::string& place, bool sole, unsigned depth) const {
    const bool alternatives = known.name == "oneOf" || known.name == "anyOf";
    switch (known.form) {
      case Form::kSchema: return schema(value, place, sole, depth + 1);
      case Form::kBoolOrSchema: return value.IsObject() ? schema(value, place, sole, depth + 1) : Outcome();
      case Form::kSchemas:
        for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
          PGA_CHECK(schema(value[i], place + "/" + std::to_string(i), sole && !alternatives, depth + 1));
        }
        return {};
      case Form::kSchemaMap:
        for (const auto& member : value.GetObject()) {
          PGA_CHECK(schema(member.value, place + "/" + std::string(text_of(member.name)), sole, depth + 1));
        }
        return {};
      default: return {};
    }
  }

  // Rules that look at several keywords of one schema.
  Outcome whole(const Value& value, const std::string& place) const {
    if (purpose_ == Schema::Purpose::kConfig && value.HasMember("properties") && !value.HasMember("additionalProperties")) {
      return refuse(place, "has properties but does not say additionalProperties");
    }
    if (purpose_ == Schema::Purpose::kOutput && is_numeric(value)) return numeric_leaf(value, place);
    return {};
  }

  static bool is_numeric(const Value& value) {
    const auto type = value.FindMember("type");
    if (type == value.MemberEnd()) return false;
    const auto numeric = [](const Value& name) { return text_of(name) == "integer" || text_of(name) == "number"; };
    return type->value.IsString() ? numeric(type->value) : std::any_of(type->value.Begin(), type->value.End(), numeric);
  }

  Outcome numeric_leaf(const Value& value, const std::string& place) const {
    const auto kind = value.FindMember("x-kind");
    if (kind == value.MemberEnd()) return refuse(place, "is a number without x-kind");
    const std::string_view name = text_of(kind->value);
    if (name != "label" && name != "info" && !value.HasMember("x-unit")) return refuse(place, "is a number without x-unit");
    return {};
  }

  const Schema::Purpose purpose_;
};

}  // namespace

Outcome check_dialect(const rapidjson::Document& schema, Schema::Purpose purpose) {
  PGA_CHECK(DialectCheck(purpose).schema(schema, "", true, 0));
  return check_compilable(schema);
}

const Value* resolve(const rapidjson::Document& root, const Value& schema) {
  const auto reference = schema.FindMember("$ref");
  if (reference == schema.MemberEnd()) return &schema;
  return rapidjson::Pointer(reference->value.GetString(), reference->value.GetStringLength()).Get(root);
}

}  // namespace pganalytics::schema
