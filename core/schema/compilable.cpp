#include "core/schema/compilable.h"

#include "core/schema/pattern.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pganalytics::schema {
namespace {

using rapidjson::Value;

constexpr std::string_view kPrefix = "#/definitions/";
constexpr std::size_t kChainMax = 16;        // a reference in what a reference leads to, and so on
constexpr std::size_t kValuesMax = 100'000;  // twenty definitions, each with two references to the next, are a million

Error refused(const std::string& why) {
  return {PGA_E_CONFIG, "schema.dialect", "schema " + why, "See the schema dialect in docs/PLUGIN_GUIDE.md.", 0};
}

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

Outcome check(std::string_view pattern) {
  const Outcome checked = check_pattern(pattern);
  return checked ? Outcome() : refused("has the pattern '" + std::string(pattern) + "', which " + checked.error().message);
}

// Visits everything in the schema as if references were replaced by what they lead to. Also what is data ("default", "enum"):
// RapidJSON compiles that too.
class Expansion {
 public:
  explicit Expansion(const rapidjson::Document& root) : root_(root) {}

  Outcome visit(const Value& value) {
    if (!value.IsObject() && !value.IsArray()) return {};
    if (++visited_ > kValuesMax) return refused("is too large once its references are followed");
    if (value.IsArray()) {
      for (const Value& element : value.GetArray()) PGA_CHECK(visit(element));
      return {};
    }
    for (const auto& member : value.GetObject()) {
      if (!member.value.IsString()) {
        PGA_CHECK(visit(member.value));
      } else if (member.name == "$ref") {
        PGA_CHECK(follow(text_of(member.value)));
      } else if (member.name == "pattern") {
        PGA_CHECK(check(text_of(member.value)));
      }
    }
    return {};
  }

 private:
  Outcome follow(std::string_view reference) {
    const Value* const target = definition(reference);
    if (target == nullptr) return refused("refers to '" + std::string(reference) + "', which is not here");
    if (std::find(path_.begin(), path_.end(), target) != path_.end())
      return refused("refers to '" + std::string(reference) + "' from within it");
    if (path_.size() == kChainMax) return refused("has a chain of more than " + std::to_string(kChainMax) + " references");
    path_.push_back(target);
    PGA_CHECK(visit(*target));
    path_.pop_back();
    return {};
  }

  // Names with '/', '~' or '%' would have to be unescaped, and nobody needs them.
  [[nodiscard]] const Value* definition(std::string_view reference) const {
    if (reference.substr(0, kPrefix.size()) != kPrefix || !root_.IsObject()) return nullptr;
    const std::string name(reference.substr(kPrefix.size()));
    const auto definitions = root_.FindMember("definitions");
    if (name.find_first_of("/~%") != std::string::npos || definitions == root_.MemberEnd() || !definitions->value.IsObject())
      return nullptr;
    const auto found = definitions->value.FindMember(name.c_str());
    return found == definitions->value.MemberEnd() || !found->value.IsObject() ? nullptr : &found->value;
  }

  const rapidjson::Document& root_;
  std::vector<const Value*> path_;
  std::size_t visited_ = 0;
};

}  // namespace

Outcome check_compilable(const rapidjson::Document& schema) { return Expansion(schema).visit(schema); }

}  // namespace pganalytics::schema
