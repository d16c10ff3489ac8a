#include "core/server/api/config_document.h"

#include <algorithm>
#include <array>
#include <pganalytics/json.hpp>
#include <set>
#include <vector>

#include "core/config/host_only_keys.h"
#include "core/config/log_filters.h"
#include "core/config/operator_keys.h"
#include "core/instance/instance_name.h"
#include "core/schema/json_text.h"
#include "core/schema/units.h"
#include "core/server/api/config_values.h"
#include "core/server/ingest/plugin_id.h"

namespace pganalytics::server::api {
namespace {

using rapidjson::Value;

constexpr std::size_t kBytes = 64 * 1024;
constexpr unsigned kDepth = 16;
constexpr std::size_t kKeys = 1'000;

std::string text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

// {"version", "state", "reason", "at"}: what an admin is shown beside the document (config_status.h).
bool is_status(const Value& value) {
  static constexpr std::array<std::string_view, 4> kMembers = {"version", "state", "reason", "at"};
  return value.IsObject() && std::all_of(value.MemberBegin(), value.MemberEnd(), [](const auto& member) {
           return std::find(kMembers.begin(), kMembers.end(), text_of(member.name)) != kMembers.end();
         });
}

// Reads the sections of one document in the order in which they are served, and writes them as it goes.
class ConfigReader {
 public:
  ConfigReader(const Value& root, const KnowsPlugin& knows_plugin) : root_(root), knows_plugin_(knows_plugin) {}

  Expected<ConfigDocument> read() {
    if (!root_.IsObject()) return config_error("the document", "is not a JSON object");
    PGA_CHECK(check_keys());
    ConfigDocument document;
    PGA_TRY(document.version, version());
    json_.begin_object();
    PGA_CHECK(intervals());
    PGA_CHECK(enabled_collectors());
    PGA_CHECK(log_filters());
    PGA_CHECK(scalars());
    PGA_CHECK(plugins());
    json_.end_object();
    document.json = std::string(json_.text());
    return document;
  }

 private:
  [[nodiscard]] const Value* find(const char* key) const {
    const auto member = root_.FindMember(key);
    return member == root_.MemberEnd() ? nullptr : &member->value;
  }

  // What became of the document may come back with it, and is nothing that is set.
  [[nodiscard]] Outcome check_keys() const {
    static const std::vector<std::string> kKnown = {"version",        "intervals",   "enabled_collectors", "log_filters",
                                                    "retention_days", "compression", "backup_interval",    "plugins"};
    for (const auto& member : root_.GetObject()) {
      const std::string key = text_of(member.name);
      if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
      if (key == "collector" && is_status(member.value)) continue;
      if (config::is_host_only_section(key)) return host_only_error(key);
      const std::string near = schema::nearest(key, kKnown);
      return config_error(key, "unknown key" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    }
    return {};
  }

  [[nodiscard]] Expected<std::optional<std::uint64_t>> version() const {
    const Value* const value = find("version");
    if (value == nullptr) return std::optional<std::uint64_t>();
    if (!value->IsUint64()) return config_error("version", "is not a number of 0 or more");
    return std::optional<std::uint64_t>(value->GetUint64());
  }

  // The id for a name that the document uses, of a plugin or of an instance of it ("pg_stats@prod2"); refused if nobody knows the
  // plugin. Which instances there are the collector knows.
  [[nodiscard]] Expected<std::string> plugin(const std::string& name, const std::string& path) const {
    if (const Outcome named = instance::check_suffix(name); !named)
      return config_error(path, named.error().message + "; " + named.error().hint);
    const std::string suffix(instance::suffix_of(name));
    const std::string id = ingest::canonical_plugin_id(instance::plugin_of(name));
    for (const std::string_view own : ingest::kOwnPlugins) {
      if (id == own) return id + suffix;
    }
    if (ingest::is_plugin_id(id)) {
      PGA_TRY(const bool is_known, knows_plugin_(id));
      if (is_known) return id + suffix;
    }
    const std::string near = schema::nearest(id, {ingest::kOwnPlugins.begin(), ingest::kOwnPlugins.end()});
    return config_error(path, "no plugin of this name comes with the product or has ever reported from this collector" +
                                  (near.empty() ? "" : "; did you mean \"" + near + suffix + "\"?"));
  }

  Outcome intervals() {
    json_.key("intervals").begin_object();
    if (const Value* const section = find("intervals")) {
      if (!section->IsObject()) return config_error("intervals", "is not an object");
      std::set<std::string> seen;
      for (const auto& member : section->GetObject()) {
        const std::string path = "intervals." + text_of(member.name);
        PGA_TRY(const auto id, plugin(text_of(member.name), path));
        if (!seen.insert(id).second) return config_error(path, "the plugin is named twice");
        PGA_TRY(const auto interval, read_interval(member.value, path));
        json_.member(id, interval);
      }
    }
    json_.end_object();
    return {};
  }

  Outcome enabled_collectors() {
    json_.key("enabled_collectors").begin_array();
    if (const Value* const section = find("enabled_collectors")) {
      if (!section->IsArray()) return config_error("enabled_collectors", "is not an array");
      std::set<std::string> seen;
      for (rapidjson::SizeType i = 0; i < section->Size(); ++i) {
        const std::string path = "enabled_collectors[" + std::to_string(i) + "]";
        if (!(*section)[i].IsString()) return config_error(path, "is not a string");
        PGA_TRY(const auto id, plugin(text_of((*section)[i]), path));
        if (seen.insert(id).second) json_.value(id);
      }
    }
    json_.end_array();
    return {};
  }

  Outcome log_filters() {
    json_.key("log_filters").begin_array();
    if (const Value* const section = find("log_filters")) {
      if (!section->IsArray()) return config_error("log_filters", "is not an array");
      if (section->Size() > config::kLogFiltersMax)
        return config_error("log_filters", "has more than " + std::to_string(config::kLogFiltersMax) + " words");
      std::set<std::string> seen;
      for (rapidjson::SizeType i = 0; i < section->Size(); ++i) {
        PGA_TRY(const auto word, read_log_filter((*section)[i], "log_filters[" + std::to_string(i) + "]"));
        if (seen.insert(word).second) json_.value(word);
      }
    }
    json_.end_array();
    return {};
  }

  Outcome scalars() {
    PGA_CHECK(scalar("retention_days", "30", check_retention_days));
    PGA_CHECK(scalar("compression", "true", check_compression));
    return scalar("backup_interval", "\"24h\"", check_backup_interval);
  }

  Outcome scalar(const char* key, std::string_view default_json, Outcome (*check)(const Value&)) {
    const Value* const value = find(key);
    if (value != nullptr) PGA_CHECK(check(*value));
    json_.key(key).json(value == nullptr ? std::string(default_json) : schema::to_text(*value));
    return {};
  }

  Outcome plugins() {
    json_.key("plugins").begin_object();
    if (const Value* const section = find("plugins")) {
      if (!section->IsObject()) return config_error("plugins", "is not an object");
      std::set<std::string> seen;
      for (const auto& member : section->GetObject()) {
        const std::string path = "plugins." + text_of(member.name);
        PGA_TRY(const auto id, plugin(text_of(member.name), path));
        if (!seen.insert(id).second) return config_error(path, "the plugin is named twice");
        PGA_CHECK(check_plugin(member.value, path));
        json_.key(id).json(schema::to_text(member.value));
      }
    }
    json_.end_object();
    return {};
  }

  [[nodiscard]] static Outcome check_plugin(const Value& keys, const std::string& path) {
    if (!keys.IsObject()) return config_error(path, "is not an object");
    if (keys.HasMember("interval")) return config_error(path + ".interval", "set it in \"intervals\"");
    if (keys.HasMember("enabled")) return config_error(path + ".enabled", "name the plugin in \"enabled_collectors\"");
    for (const auto& member : keys.GetObject()) {
      const std::string key = text_of(member.name);
      if (config::is_operator_key(key)) return host_only_error(path + "." + key);  // its rights on the host, its pins
    }
    return check_remote_may_set(keys, path);
  }

  const Value& root_;
  const KnowsPlugin& knows_plugin_;
  JsonWriter json_;
};

}  // namespace

Expected<ConfigDocument> read_config(std::string_view text, const KnowsPlugin& knows_plugin) {
  schema::JsonLimits limits;
  limits.bytes = kBytes;
  limits.depth = kDepth;
  limits.object_keys = kKeys;
  auto document = schema::parse_json(text, limits);
  if (!document) return config_error("the document", document.error().message);
  return ConfigReader(document.value(), knows_plugin).read();
}

std::string default_config() {
  return R"({"intervals":{},"enabled_collectors":[],"log_filters":[],"retention_days":30,"compression":true,)"
         R"("backup_interval":"24h","plugins":{}})";
}

std::string with_version(std::uint64_t version, std::string_view json) {
  return "{\"version\":" + std::to_string(version) + "," + std::string(json.substr(1));
}

}  // namespace pganalytics::server::api
