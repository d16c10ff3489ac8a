#include "core/validator/checker/descriptor_checks.h"

#include <algorithm>
#include <pganalytics/json.hpp>
#include <regex>
#include <sstream>

#include "core/schema/json_text.h"
#include "core/schema/schema.h"

namespace pganalytics::validator {
namespace {

constexpr std::size_t kTextMax = 1024, kDescriptionMax = 120, kSchemaMax = 1u << 20;  // bytes; as the worker has them
constexpr std::uint32_t kKnownNeeds = PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_EXEC;

// semver.org, version 2.0.0.
bool is_semver(const std::string& text) {
  static const std::regex kForm(
      R"((0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?)");
  return text.size() <= kTextMax && std::regex_match(text, kForm);
}

// The form of an SPDX expression; which identifiers exist changes with every release of their list.
bool is_spdx(const std::string& text) {
  static const std::regex kForm(R"(\(*[A-Za-z0-9.+-]+\)*( (AND|OR|WITH) \(*[A-Za-z0-9.:+-]+\)*)*)");
  return text.size() <= kTextMax && std::regex_match(text, kForm);
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::optional<std::string> wrong_text(const char* name, const char* text, std::size_t bytes_max, bool may_be_empty) {
  const std::size_t length = strnlen(text, bytes_max + 1);
  if (length > bytes_max) return std::string(name) + " is longer than " + std::to_string(bytes_max) + " bytes";
  if (length == 0 && !may_be_empty) return std::string(name) + " is empty";
  if (!is_utf8({text, length})) return std::string(name) + " is not UTF-8";
  if (!is_one_line({text, length})) return std::string(name) + " has control characters";
  return std::nullopt;
}

std::optional<std::string> wrong_aliases(const std::string& aliases) {
  std::istringstream names(aliases);
  for (std::string name; std::getline(names, name, ',');) {
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(' ') + 1);
    if (!host::is_plugin_id(name)) return "alias '" + name + "' is not [a-z][a-z0-9_]{1,31}";
  }
  return std::nullopt;
}

std::optional<std::string> wrong_descriptor(const pga_descriptor& descriptor, const std::string& note_id) {
  for (const auto& [name, text, bytes_max, may_be_empty] :
       {std::tuple{"id", descriptor.id, kTextMax, false}, std::tuple{"aliases", descriptor.aliases, kTextMax, true},
        std::tuple{"version", descriptor.version, kTextMax, false}, std::tuple{"vendor", descriptor.vendor, kTextMax, false},
        std::tuple{"description", descriptor.description, kDescriptionMax, false},
        std::tuple{"license", descriptor.license, kTextMax, false}, std::tuple{"url", descriptor.url, kTextMax, true}}) {
    if (auto wrong = wrong_text(name, text, bytes_max, may_be_empty)) return wrong;
  }
  const std::string id = descriptor.id, version = descriptor.version, license = descriptor.license, url = descriptor.url;
  if (!host::is_plugin_id(id)) return "id '" + id + "' is not [a-z][a-z0-9_]{1,31}";
  if (id != note_id) return "its descriptor says '" + id + "', its note '" + note_id + "'";
  if (auto wrong = wrong_aliases(descriptor.aliases)) return wrong;
  if (!is_semver(version)) return "version '" + version + "' is not SemVer (1.0.0)";
  if (!is_spdx(license)) return "license '" + license + "' is no SPDX expression (Apache-2.0)";
  if (!url.empty() && url.rfind("https://", 0) != 0 && url.rfind("http://", 0) != 0) return "url '" + url + "' is no web address";
  if ((descriptor.needs & ~kKnownNeeds) != 0) return "needs has bits that this host does not know";
  return std::nullopt;
}

// The schema without what its author's users must give: so that the defaults alone can be held against it.
Expected<schema::Schema> without_required(const schema::Schema& schema) {
  rapidjson::Document relaxed;
  relaxed.CopyFrom(schema.document(), relaxed.GetAllocator());
  relaxed.RemoveMember("required");
  return schema::Schema::parse(schema::to_text(relaxed), schema::Schema::Purpose::kConfig);
}

Outcome check_defaults(const schema::Schema& schema) {
  PGA_TRY(const schema::Schema relaxed, without_required(schema));
  rapidjson::Document config;
  config.SetObject();
  relaxed.fill_defaults(config);
  if (auto fits = relaxed.validate(config); !fits) return std::move(fits).error().while_doing("config schema: its defaults");
  return {};
}

// Every document has these two; a schema that forgets one refuses all of them, or says nothing about it.
Outcome check_envelope(const schema::Schema& schema) {
  const auto& document = schema.document();
  const auto properties = document.FindMember("properties");
  for (const char* const name : {"type", "timestamp"}) {
    const auto closed = document.FindMember("additionalProperties");
    const bool allowed = closed == document.MemberEnd() || !closed->value.IsFalse() ||
                         (properties != document.MemberEnd() && properties->value.HasMember(name));
    if (!allowed) return Error{PGA_E_CONFIG, "", std::string("output schema does not allow \"") + name + "\"", "", 0};
  }
  return {};
}

Outcome check_both(const pga_descriptor& descriptor) {
  PGA_TRY(const auto config, schema::Schema::parse(descriptor.config_schema, schema::Schema::Purpose::kConfig));
  PGA_CHECK(check_defaults(config));
  PGA_TRY(const auto output, schema::Schema::parse(descriptor.output_schema, schema::Schema::Purpose::kOutput));
  return check_envelope(output);
}

}  // namespace

Finding check_descriptor(Subject& subject) {
  const auto wrong = wrong_descriptor(*subject.plugin()->descriptor, subject.facts().id);
  return wrong ? Finding::fail(*wrong) : Finding::pass();
}

Finding check_schemas(Subject& subject) {
  const pga_descriptor& descriptor = *subject.plugin()->descriptor;
  if (strnlen(descriptor.config_schema, kSchemaMax + 1) > kSchemaMax) return Finding::fail("config schema is too large");
  if (strnlen(descriptor.output_schema, kSchemaMax + 1) > kSchemaMax) return Finding::fail("output schema is too large");
  if (const Outcome good = check_both(descriptor); !good) return Finding::fail(good.error().message);
  return Finding::pass();
}

}  // namespace pganalytics::validator
