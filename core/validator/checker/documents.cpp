#include "core/validator/checker/documents.h"

#include "core/schema/dialect.h"
#include "core/schema/json_text.h"
#include "core/validator/checker/subject.h"

namespace pganalytics::validator {
namespace {

using rapidjson::Value;

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

std::string_view kind_of(const Value& schema) {
  const auto kind = schema.FindMember("x-kind");
  return kind != schema.MemberEnd() && kind->value.IsString() ? text_of(kind->value) : std::string_view();
}

bool is_label(const Value& schema) {
  const auto flag = schema.FindMember("x-label");
  return (flag != schema.MemberEnd() && flag->value.IsTrue()) || kind_of(schema) == "label";
}

bool tells_of_a_reset(std::string_view key) {
  return key.find("reset") != std::string_view::npos || key.find("start") != std::string_view::npos ||
         key.find("epoch") != std::string_view::npos;
}

// The schema of one member of an object that `schema` describes; nullptr: it says nothing of it.
const Value* schema_of_member(const rapidjson::Document& root, const Value& schema, const Value& name) {
  const auto properties = schema.FindMember("properties");
  if (properties != schema.MemberEnd() && properties->value.HasMember(name)) {
    return schema::resolve(root, properties->value[name]);
  }
  const auto others = schema.FindMember("additionalProperties");
  return others != schema.MemberEnd() && others->value.IsObject() ? schema::resolve(root, others->value) : nullptr;
}

// Walks a document beside its schema. `visit(place, series, marker, schema, value)` for each leaf; `series` is the place with
// the labels of the objects around.
template <class Visit>
class Walk {
 public:
  Walk(const rapidjson::Document& root, const Visit& visit) : root_(root), visit_(visit) {}

  void go(const Value& schema, const Value& value, const std::string& place, std::string series, std::string marker) const {
    if (value.IsArray()) {
      const auto items = schema.FindMember("items");
      const Value* const inner = items == schema.MemberEnd() ? nullptr : schema::resolve(root_, items->value);
      if (inner == nullptr) return;
      for (const Value& element : value.GetArray()) go(*inner, element, place + "/*", series, marker);
    } else if (value.IsObject()) {
      enter(schema, value, place, std::move(series), std::move(marker));
    } else {
      visit_(place, series, marker, schema, value);
    }
  }

 private:
  void enter(const Value& schema, const Value& object, const std::string& place, std::string series, std::string marker) const {
    for (const auto& member : object.GetObject()) {
      const Value* const inner = schema_of_member(root_, schema, member.name);
      if (inner != nullptr && is_label(*inner)) {
        series += "{" + std::string(text_of(member.name)) + "=" + schema::to_text(member.value) + "}";
      } else if (tells_of_a_reset(text_of(member.name)) && !member.value.IsObject() && !member.value.IsArray()) {
        marker += schema::to_text(member.value);
      }
    }
    for (const auto& member : object.GetObject()) {
      const Value* const inner = schema_of_member(root_, schema, member.name);
      if (inner != nullptr) go(*inner, member.value, place + "/" + std::string(text_of(member.name)), series, marker);
    }
  }

  const rapidjson::Document& root_;
  const Visit& visit_;
};

template <class Visit>
void walk_all(const schema::Schema& schema, const std::vector<std::string>& documents, const Visit& visit) {
  const Walk<Visit> walk(schema.document(), visit);
  for (const std::string& text : documents) {
    const auto document = schema::parse_json(text);
    if (document) walk.go(schema.document(), document.value(), "", "", "");
  }
}

bool declares_kind(const Value& value, std::string_view kind) {
  if (value.IsArray()) {
    for (const Value& element : value.GetArray()) {
      if (declares_kind(element, kind)) return true;
    }
  }
  if (!value.IsObject()) return false;
  if (kind_of(value) == kind) return true;
  for (const auto& member : value.GetObject()) {
    if (declares_kind(member.value, kind)) return true;
  }
  return false;
}

}  // namespace

Shape DocumentReader::shape_of(const std::vector<std::string>& documents) const {
  Shape shape;
  walk_all(schema_, documents,
           [&shape](const std::string& place, const std::string&, const std::string&, const Value& schema, const Value& value) {
             shape.insert(is_label(schema) ? place + "=" + schema::to_text(value) : place);
           });
  return shape;
}

std::map<std::string, Sample> DocumentReader::samples_of(const std::vector<std::string>& documents, std::string_view kind) const {
  std::map<std::string, Sample> samples;
  walk_all(schema_, documents,
           [&](const std::string& place, const std::string& series, const std::string& marker, const Value& schema,
               const Value& value) {
             if (value.IsNumber() && kind_of(schema) == kind) samples[place + series] = {value.GetDouble(), marker};
           });
  return samples;
}

bool DocumentReader::declares(std::string_view kind) const { return declares_kind(schema_.document(), kind); }

schema::Schema output_schema_of(const char* json) {
  auto schema = schema::Schema::parse(json, schema::Schema::Purpose::kOutput);
  if (!schema) throw CannotCheck{Finding::skip(schema.error().message)};
  return std::move(schema).value();
}

}  // namespace pganalytics::validator
