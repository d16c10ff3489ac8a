#include "core/validator/checker/configurations.h"

#include <algorithm>
#include <limits>

#include "core/schema/dialect.h"
#include "core/schema/json_text.h"

namespace pganalytics::validator {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr std::size_t kLongText = 10'000;
constexpr std::size_t kShownMax = 60;

schema::Schema schema_of(Subject& subject) {
  auto schema = schema::Schema::parse(subject.plugin()->descriptor->config_schema, schema::Schema::Purpose::kConfig);
  if (!schema) throw CannotCheck{Finding::skip(schema.error().message)};
  return std::move(schema).value();
}

Document parsed(const std::string& json) {
  auto document = schema::parse_json(json);
  if (!document) throw CannotCheck{Finding::skip(document.error().message)};
  return std::move(document).value();
}

std::string text_member(const Value& object, const char* name) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
}

const Value* first_example(const Value& property) {
  const auto examples = property.FindMember("examples");
  return examples != property.MemberEnd() && examples->value.Size() > 0 ? &examples->value[0] : nullptr;
}

// What the author did not give and no default says: by its first example.
void fill_required(const schema::Schema& schema, Document& config) {
  const Document& root = schema.document();
  const auto required = root.FindMember("required");
  const auto properties = root.FindMember("properties");
  if (required == root.MemberEnd() || properties == root.MemberEnd()) return;
  for (const Value& key : required->value.GetArray()) {
    if (config.HasMember(key) || !properties->value.HasMember(key)) continue;
    const Value* const property = schema::resolve(root, properties->value[key]);
    const Value* const example = property == nullptr ? nullptr : first_example(*property);
    if (example == nullptr) continue;
    config.AddMember(Value(key, config.GetAllocator()), Value(*example, config.GetAllocator()), config.GetAllocator());
  }
}

void find_secrets(const Value& value, std::set<std::string>& names) {
  if (value.IsArray()) {
    for (const Value& element : value.GetArray()) find_secrets(element, names);
  }
  if (!value.IsObject()) return;
  if (const std::string name = text_member(value, "$secret"); !name.empty()) names.insert(name);
  for (const auto& member : value.GetObject()) find_secrets(member.value, names);
}

bool is_type(const Value& property, const char* type) { return text_member(property, "type") == type; }

// Examples of these name what their author has and this machine need not.
bool is_of_another_machine(const Value& property) {
  const auto items = property.FindMember("items");
  if (items != property.MemberEnd() && items->value.IsObject() && is_of_another_machine(items->value)) return true;
  const std::string format = text_member(property, "format");
  return format == "path-read" || format == "conninfo" || format == "host-port";
}

std::vector<std::string> odd_texts(const Value& property) {
  const std::string format = text_member(property, "format");
  if (format == "duration") return {"1ms", "1s", "3650d"};
  if (format == "bytes") return {"1", "1TiB"};
  if (format == "path-read") return {"/nonexistent/file", "/", "/dev/null", "/proc/self/mem"};
  if (format == "conninfo") return {"", "host=/nonexistent", "no such thing", "dbname='", "port=99999"};
  if (format == "host-port") return {"localhost:1", "[::1]:65535", "nowhere.invalid:1"};
  const auto longest = property.FindMember("maxLength");
  const std::size_t length =
      longest == property.MemberEnd() ? kLongText : std::min<std::size_t>(longest->value.GetUint64(), kLongText);
  return {"",   " ",       std::string(length, 'x'),      "\"\\\n\x01", "%s%n%n", "\xC3\xA9\xF0\x9F\x98\x80", "../../etc/passwd",
          "*[", "; drop;", std::string("nul\0inside", 10)};
}

// The ends of what `property` allows; where it sets none, of what JSON and 64 bits can say.
std::vector<std::int64_t> ends_of(const Value& property) {
  const auto end = [&property](const char* name, std::int64_t otherwise) {
    const auto member = property.FindMember(name);
    return member != property.MemberEnd() && member->value.IsInt64() ? member->value.GetInt64() : otherwise;
  };
  return {end("minimum", std::numeric_limits<std::int64_t>::min()), end("maximum", std::numeric_limits<std::int64_t>::max())};
}

}  // namespace

Configurations::Configurations(Subject& subject) : schema_(schema_of(subject)) {
  const std::string& given = subject.request().config_json;
  Document config = parsed(given.empty() ? "{}" : given);
  if (given.empty()) fill_required(schema_, config);
  schema_.fill_defaults(config);
  if (const Outcome fits = schema_.validate(config); !fits) {
    throw CannotCheck{given.empty() ? Finding::skip("no configuration can be made of its schema: " + fits.error().message +
                                                    "; give one with --config FILE, or give the key an example")
                                    : Finding::fail("the configuration of --config: " + fits.error().message)};
  }
  base_ = schema::to_text(config);
  find_secrets(config, secret_names_);
}

void Configurations::add(std::vector<Configuration>& list, const char* key, const Value& value) const {
  Document config = parsed(base_);
  config.RemoveMember(key);
  config.AddMember(Value(key, config.GetAllocator()), Value(value, config.GetAllocator()), config.GetAllocator());
  schema_.fill_defaults(config);
  const std::string json = schema::to_text(config);
  if (json == base_ || !schema_.validate(config)) return;
  list.push_back({std::string(key) + " = " + schema::to_text(value).substr(0, kShownMax), json});
}

// `values_of` a property's schema: what to try.
template <class ValuesOf>
std::vector<Configuration> Configurations::vary(const ValuesOf& values_of) const {
  std::vector<Configuration> list;
  const Document& root = schema_.document();
  const auto properties = root.FindMember("properties");
  if (properties == root.MemberEnd()) return list;
  for (const auto& property : properties->value.GetObject()) {
    const Value* const schema = schema::resolve(root, property.value);
    if (schema == nullptr) continue;
    Document memory;
    for (const Value& value : values_of(*schema, memory.GetAllocator())) add(list, property.name.GetString(), value);
  }
  return list;
}

std::vector<Configuration> Configurations::examples() const {
  std::vector<Configuration> list = vary([](const Value& property, auto& memory) {
    Values values;
    const auto examples = property.FindMember("examples");
    if (examples == property.MemberEnd() || is_of_another_machine(property)) return values;
    for (const Value& example : examples->value.GetArray()) values.emplace_back(example, memory);
    return values;
  });
  const auto whole = schema_.document().FindMember("examples");
  if (whole == schema_.document().MemberEnd()) return list;
  for (const Value& example : whole->value.GetArray()) {
    Document config;
    config.CopyFrom(example, config.GetAllocator());
    schema_.fill_defaults(config);
    if (schema_.validate(config)) list.push_back({"an example of the whole", schema::to_text(config)});
  }
  return list;
}

std::vector<Configuration> Configurations::variations() const {
  std::vector<Configuration> list = examples();
  const auto others = vary([](const Value& property, auto& memory) {
    Values values;
    if (const auto choices = property.FindMember("enum"); choices != property.MemberEnd()) {
      for (const Value& choice : choices->value.GetArray()) values.emplace_back(choice, memory);
    }
    if (is_type(property, "boolean")) values.emplace_back(true), values.emplace_back(false);
    if (is_type(property, "integer")) {
      for (const char* const end : {"minimum", "maximum"}) {
        if (property.HasMember(end)) values.emplace_back(property[end], memory);
      }
    }
    return values;
  });
  list.insert(list.end(), others.begin(), others.end());
  return list;
}

std::vector<Configuration> Configurations::oddities() const {
  return vary([](const Value& property, auto& memory) {
    Values values;
    const auto add_texts = [&](const Value& of, bool as_array) {
      for (const std::string& text : odd_texts(of)) {
        Value value(text, memory);
        if (as_array) value = Value(rapidjson::kArrayType).PushBack(Value(text, memory), memory);
        values.push_back(std::move(value));
      }
    };
    if (is_type(property, "string")) add_texts(property, false);
    if (is_type(property, "integer") || is_type(property, "number")) {
      for (const std::int64_t number : ends_of(property)) values.emplace_back(number);
      values.emplace_back(0), values.emplace_back(-1);
    }
    if (is_type(property, "array")) {
      values.emplace_back(rapidjson::kArrayType);
      if (const auto items = property.FindMember("items"); items != property.MemberEnd() && is_type(items->value, "string")) {
        add_texts(items->value, true);
      }
    }
    return values;
  });
}

std::vector<Configuration> Configurations::with_format(std::string_view format, const std::string& value) const {
  return vary([&](const Value& property, auto& memory) {
    Values values;
    if (text_member(property, "format") == format) values.emplace_back(value, memory);
    const auto items = property.FindMember("items");
    if (items != property.MemberEnd() && text_member(items->value, "format") == format) {
      Value list(rapidjson::kArrayType);
      list.PushBack(Value(value, memory), memory);
      values.push_back(std::move(list));
    }
    return values;
  });
}

std::string Configurations::with_secrets(const std::string& value) const {
  Document config = parsed(base_);
  const auto properties = schema_.document().FindMember("properties");
  if (properties == schema_.document().MemberEnd()) return base_;
  for (const auto& property : properties->value.GetObject()) {
    const Value* const schema = schema::resolve(schema_.document(), property.value);
    if (schema == nullptr || !is_type(*schema, "string")) continue;
    const auto secret = schema->FindMember("x-secret");
    if (secret == schema->MemberEnd() || !secret->value.IsTrue()) continue;
    config.RemoveMember(property.name);
    config.AddMember(Value(property.name, config.GetAllocator()), Value(value, config.GetAllocator()), config.GetAllocator());
  }
  return schema_.validate(config) ? schema::to_text(config) : base_;
}

}  // namespace pganalytics::validator
