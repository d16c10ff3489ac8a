#include "core/config/plugin_config.h"

#include "core/config/node_json.h"
#include "core/config/operator_keys.h"
#include "core/config/toml_reader.h"
#include "core/instance/instance_name.h"
#include "core/schema/json_text.h"

#include <algorithm>
#include <charconv>

namespace pganalytics::config {
namespace {

// The part of the tree that `place` ("databases/0/name") leads to, or the deepest one that exists on the way.
const Node& at(const Node& root, std::string_view place) {
  const Node* node = &root;
  while (!place.empty()) {
    const std::string_view step = place.substr(0, place.find('/'));
    const Node* inner = node->find(step);
    if (const auto* const array = std::get_if<Node::Array>(&node->value)) {
      std::size_t index = 0;
      const auto [end, code] = std::from_chars(step.data(), step.data() + step.size(), index);
      if (code == std::errc{} && index < array->size()) inner = &(*array)[index];
    }
    if (inner == nullptr) break;
    node = inner;
    place.remove_prefix(std::min(place.size(), step.size() + 1));
  }
  return *node;
}

std::string describe_hint(const PluginConfig& config) {
  return "`pganalytics plugin describe " + std::string(instance::plugin_of(config.id)) + "` shows its keys.";
}

// The schema speaks of places inside JSON ("'databases/0' must be of type "string""); people look for a line of a file and a key.
Error locate(const Error& error, const PluginConfig& config) {
  const std::size_t open = error.message.find('\'');
  const std::size_t close = open == std::string::npos ? open : error.message.find('\'', open + 1);
  std::string place;
  std::string what = error.message;
  if (close != std::string::npos) {
    place = error.message.substr(open + 1, close - open - 1);
    what = error.message.substr(0, open) + error.message.substr(close + 1);
    what.erase(0, what.find_first_not_of(" :"));
    while (!what.empty() && what.back() == ' ') what.pop_back();
  }
  if (place == "/") place.clear();
  const Origin& origin = at(config.keys, place).origin;
  std::string path = "plugins." + config.id + (place.empty() ? "" : "." + place);
  std::replace(path.begin(), path.end(), '/', '.');
  Problems problems;
  problems.add(origin, path, what, error.hint.empty() ? describe_hint(config) : error.hint,
               error.code == "schema.unknown_key" ? "config.unknown_key" : error.code);
  return problems.as_error();
}

// Keys that neither the core nor the plugin knows, told with the nearest of both.
Outcome check_keys(const PluginConfig& config, const schema::Schema& schema) {
  const auto& document = schema.document();
  const auto others = document.FindMember("additionalProperties");
  if (others == document.MemberEnd() || !others->value.IsFalse()) return {};
  std::vector<std::string> known = schema.top_level_keys();
  const std::vector<std::string> own = known;
  known.insert(known.end(), kScheduleKeys.begin(), kScheduleKeys.end());
  known.insert(known.end(), kRightsKeys.begin(), kRightsKeys.end());
  Problems problems;
  for (const auto& [key, node] : std::get<Node::Table>(config.keys.value)) {
    if (std::find(own.begin(), own.end(), key) != own.end()) continue;
    const std::string near = schema::nearest(key, known);
    problems.add(node.origin, "plugins." + config.id + "." + key, "unknown key",
                 near.empty() ? describe_hint(config) : "Did you mean '" + near + "'?", "config.unknown_key");
  }
  return problems.empty() ? Outcome() : Outcome(problems.as_error());
}

// {"$secret": "name"}, anywhere.
void collect_secrets(const rapidjson::Value& value, std::set<std::string>& names) {
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) collect_secrets(element, names);
  }
  if (!value.IsObject()) return;
  const auto secret = value.FindMember("$secret");
  if (secret != value.MemberEnd() && secret->value.IsString()) names.emplace(secret->value.GetString());
  for (const auto& member : value.GetObject()) collect_secrets(member.value, names);
}

}  // namespace

const KnownPlugin* find_plugin(const std::vector<KnownPlugin>& known, const std::string& name) {
  const std::string_view wanted = instance::plugin_of(name);
  for (const KnownPlugin& plugin : known) {
    if (plugin.id == wanted) return &plugin;
  }
  for (const KnownPlugin& plugin : known) {
    if (std::find(plugin.aliases.begin(), plugin.aliases.end(), wanted) != plugin.aliases.end()) return &plugin;
  }
  return nullptr;
}

Outcome adopt_aliases(CollectorConfig& config, const std::vector<KnownPlugin>& known) {
  std::map<std::string, PluginConfig> adopted;
  for (auto& [name, plugin] : config.plugins) {
    const KnownPlugin* const installed = find_plugin(known, name);
    plugin.id = installed != nullptr ? installed->id + std::string(instance::suffix_of(name)) : name;
    const auto [place, fresh] = adopted.emplace(plugin.id, plugin);
    if (!fresh) {
      Problems problems;
      problems.add(plugin.keys.origin, "plugins." + name,
                   "is the plugin '" + plugin.id + "', configured at " + place->second.keys.origin.text() + " already",
                   "Keep one of the two tables.");
      return problems.as_error();
    }
  }
  config.plugins = std::move(adopted);
  return {};
}

std::string nearest_instance(const CollectorConfig& config, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [id, plugin] : config.plugins) {
    if (!instance::suffix_of(id).empty()) names.push_back(id);
  }
  return schema::nearest(name, names);
}

Expected<ResolvedPlugin> resolve(const PluginConfig& config, const KnownPlugin& plugin) {
  PGA_CHECK(check_keys(config, *plugin.config_schema));
  JsonWriter json;
  write_json(config.keys, json);
  PGA_TRY(rapidjson::Document document, schema::parse_json(json.text()));
  plugin.config_schema->fill_defaults(document);
  if (Outcome valid = plugin.config_schema->validate(document); !valid) return locate(valid.error(), config);

  ResolvedPlugin resolved;
  resolved.id = plugin.id + std::string(instance::suffix_of(config.id));
  resolved.config_json = schema::to_text(document);
  collect_secrets(document, resolved.secret_names);
  resolved.named = named_paths(document, *plugin.config_schema);
  resolved.interval_ms = config.interval_ms.value_or(plugin.default_interval_ms);
  // A shorter interval, local or remote, shortens the timeout with it.
  resolved.timeout_ms = std::min(config.timeout_ms.value_or(plugin.default_timeout_ms), resolved.interval_ms);
  return resolved;
}

}  // namespace pganalytics::config
