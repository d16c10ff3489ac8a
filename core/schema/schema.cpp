#include "core/schema/schema.h"

#include "core/schema/dialect.h"
#include "core/schema/format.h"
#include "core/schema/json_text.h"

#include <rapidjson/pointer.h>
#include <rapidjson/schema.h>

namespace pganalytics::schema {
namespace {

using rapidjson::Value;

constexpr std::size_t kSchemaBytesMax = 1 << 20;

// rapidjson::Pointer -> "databases/0/size_bytes".
std::string place_of(const rapidjson::Pointer& pointer) {
  std::string place;
  for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    if (!place.empty()) place += '/';
    place.append(token.name, token.length);
  }
  return place;
}

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

std::string type_of(const Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsBool()) return "a boolean";
  if (value.IsString()) return "a string";
  if (value.IsNumber()) return value.IsDouble() ? "a number with a fraction" : "an integer";
  return value.IsArray() ? "an array" : "an object";
}

std::vector<std::string> keys_of(const Value& schema) {
  std::vector<std::string> keys;
  const auto properties = schema.FindMember("properties");
  if (properties == schema.MemberEnd()) return keys;
  for (const auto& member : properties->value.GetObject()) keys.emplace_back(text_of(member.name));
  return keys;
}

std::string missing_keys(const Value& schema, const Value& value) {
  std::string missing;
  for (const auto& name : schema["required"].GetArray()) {
    if (value.IsObject() && !value.HasMember(name)) missing += (missing.empty() ? "'" : ", '") + std::string(text_of(name)) + "'";
  }
  return missing;
}

// Turns RapidJSON's verdict (where in the value, where in the schema, which keyword) into words.
class Verdict {
 public:
  Verdict(const rapidjson::SchemaValidator& validator, const rapidjson::Document& schema, const Value& document)
      : keyword_(validator.GetInvalidSchemaKeyword()),
        place_(place_of(validator.GetInvalidDocumentPointer())),
        schema_(validator.GetInvalidSchemaPointer().Get(schema)),
        value_(validator.GetInvalidDocumentPointer().Get(document)) {}

  [[nodiscard]] Error error() const {
    Error error{PGA_E_CONFIG, "schema.invalid", "", "", 0};
    if (keyword_ == "additionalProperties") return unknown_key(std::move(error));
    error.message = "'" + (place_.empty() ? "/" : place_) + "' " + complaint();
    return error;
  }

 private:
  [[nodiscard]] Error unknown_key(Error error) const {
    const std::size_t slash = place_.rfind('/');
    const std::string key = slash == std::string::npos ? place_ : place_.substr(slash + 1);
    error.code = "schema.unknown_key";
    error.message = "unknown key '" + place_ + "'";
    const std::string meant = schema_ == nullptr ? "" : nearest(key, keys_of(*schema_));
    if (!meant.empty()) error.hint = "Did you mean '" + meant + "'?";
    return error;
  }

  [[nodiscard]] std::string complaint() const {
    const bool known = schema_ != nullptr && schema_->IsObject() && schema_->HasMember(keyword_.c_str());
    if (!known) return "does not fit the schema (" + keyword_ + ")";
    const Value& wanted = (*schema_)[keyword_.c_str()];
    if (keyword_ == "required" && value_ != nullptr) return "lacks " + missing_keys(*schema_, *value_);
    const std::string found = value_ == nullptr ? "" : " but is " + type_of(*value_);
    if (keyword_ == "type") return "must be of type " + to_text(wanted) + found;
    if (keyword_ == "enum") return "must be one of " + to_text(wanted);
    if (keyword_ == "oneOf" || keyword_ == "anyOf" || keyword_ == "allOf") return "fits not as " + keyword_ + " asks";
    return "must have " + keyword_ + " " + to_text(wanted);
  }

  const std::string keyword_;
  const std::string place_;
  const Value* const schema_;
  const Value* const value_;
};

// Visits the parts of `value` for which exactly one schema applies, and that schema.
template <class Visit>
Outcome walk(const rapidjson::Document& root, const Value& unresolved, const Value& value, const std::string& place,
             const Visit& visit) {
  const Value* schema = resolve(root, unresolved);
  if (schema == nullptr) return {};
  PGA_CHECK(visit(*schema, value, place));
  const std::string prefix = place.empty() ? "" : place + "/";
  if (const auto all = schema->FindMember("allOf"); all != schema->MemberEnd()) {
    for (const auto& part : all->value.GetArray()) PGA_CHECK(walk(root, part, value, place, visit));
  }
  if (const auto items = schema->FindMember("items"); items != schema->MemberEnd() && value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i)
      PGA_CHECK(walk(root, items->value, value[i], prefix + std::to_string(i), visit));
  }
  if (!value.IsObject()) return {};
  const auto properties = schema->FindMember("properties");
  const auto others = schema->FindMember("additionalProperties");
  for (const auto& member : value.GetObject()) {
    const std::string inner = prefix + std::string(text_of(member.name));
    if (properties != schema->MemberEnd() && properties->value.HasMember(member.name)) {
      PGA_CHECK(walk(root, properties->value[member.name], member.value, inner, visit));
    } else if (others != schema->MemberEnd() && others->value.IsObject()) {
      PGA_CHECK(walk(root, others->value, member.value, inner, visit));
    }
  }
  return {};
}

Outcome check_value_format(const Value& schema, const Value& value, const std::string& place) {
  const auto format = schema.FindMember("format");
  if (format == schema.MemberEnd() || !value.IsString()) return {};
  if (Outcome fits = check_format(text_of(format->value), text_of(value)); !fits) {
    return std::move(fits).error().while_doing("'" + place + "'");
  }
  return {};
}

void fill(const rapidjson::Document& root, const Value& unresolved, Value& object,
          rapidjson::Document::AllocatorType& allocator) {
  const Value* schema = resolve(root, unresolved);
  if (schema == nullptr || !object.IsObject()) return;
  const auto properties = schema->FindMember("properties");
  if (properties == schema->MemberEnd()) return;
  for (const auto& property : properties->value.GetObject()) {
    const Value* inner = resolve(root, property.value);
    if (inner == nullptr) continue;
    const auto fallback = inner->FindMember("default");
    if (!object.HasMember(property.name) && fallback != inner->MemberEnd()) {
      object.AddMember(Value(property.name, allocator), Value(fallback->value, allocator), allocator);
    }
    if (object.HasMember(property.name)) fill(root, *inner, object[property.name], allocator);
  }
}

}  // namespace

struct Schema::Content {
  explicit Content(rapidjson::Document parsed) : document(std::move(parsed)), compiled(document) {}
  rapidjson::Document document;
  rapidjson::SchemaDocument compiled;
};

Schema::Schema(std::unique_ptr<Content> content) : content_(std::move(content)) {}
Schema::Schema(Schema&&) noexcept = default;
Schema& Schema::operator=(Schema&&) noexcept = default;
Schema::~Schema() = default;

Expected<Schema> Schema::parse(std::string_view json_text, Purpose purpose) {
  JsonLimits limits;
  limits.bytes = kSchemaBytesMax;
  limits.depth = 64;  // a schema nests about twice as deep as what it describes
  auto document = parse_json(json_text, limits);
  if (!document) return std::move(document).error().while_doing("schema");
  PGA_CHECK(check_dialect(*document, purpose));
  return Schema(std::make_unique<Content>(std::move(document).value()));
}

Outcome Schema::validate(const Value& value) const {
  rapidjson::SchemaValidator validator(content_->compiled);
  if (!value.Accept(validator)) return Verdict(validator, content_->document, value).error();
  return walk(content_->document, content_->document, value, "", check_value_format);
}

void Schema::fill_defaults(rapidjson::Document& document) const {
  fill(content_->document, content_->document, document, document.GetAllocator());
}

std::vector<std::string> Schema::top_level_keys() const { return keys_of(content_->document); }
const rapidjson::Document& Schema::document() const { return content_->document; }

}  // namespace pganalytics::schema
