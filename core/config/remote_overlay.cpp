#include "core/config/remote_overlay.h"

#include "core/config/node_json.h"
#include "core/config/operator_keys.h"
#include "core/config/plugin_names.h"
#include "core/config/toml_reader.h"
#include "core/schema/json_text.h"

#include <algorithm>

namespace pganalytics::config {
namespace {

using rapidjson::Value;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr Range kIntervals{100, kDayMs};
constexpr unsigned kSchemaDepthMax = 32;  // $ref may go in circles

schema::JsonLimits document_limits() {
  schema::JsonLimits limits;
  limits.bytes = 1u << 20;
  limits.depth = 16;
  return limits;
}

const Value* referred(const Value& schema, const rapidjson::Document& root) {
  const auto reference = schema.FindMember("$ref");
  if (reference == schema.MemberEnd() || !reference->value.IsString()) return nullptr;
  constexpr std::string_view kPrefix = "#/definitions/";
  const std::string_view target(reference->value.GetString(), reference->value.GetStringLength());
  const auto definitions = root.FindMember("definitions");
  if (target.substr(0, kPrefix.size()) != kPrefix || definitions == root.MemberEnd()) return nullptr;
  const auto found = definitions->value.FindMember(std::string(target.substr(kPrefix.size())));
  return found == definitions->value.MemberEnd() ? nullptr : &found->value;
}

bool is_local_only(const Value& schema) {
  for (const char* const mark : {"x-local", "x-secret"}) {
    const auto member = schema.FindMember(mark);
    if (member != schema.MemberEnd() && member->value.IsTrue()) return true;
  }
  const auto format = schema.FindMember("format");
  return format != schema.MemberEnd() && (format->value == "path-read" || format->value == "conninfo");
}

// True if any part of `schema` is something only the operator of the host may set.
bool holds_local_only(const Value& schema, const rapidjson::Document& root, unsigned depth) {
  if (depth > kSchemaDepthMax) return true;
  if (schema.IsArray()) {
    return std::any_of(schema.Begin(), schema.End(), [&](const Value& part) { return holds_local_only(part, root, depth + 1); });
  }
  if (!schema.IsObject()) return false;
  if (is_local_only(schema)) return true;
  const Value* const target = referred(schema, root);
  if (target != nullptr && holds_local_only(*target, root, depth + 1)) return true;
  return std::any_of(schema.MemberBegin(), schema.MemberEnd(),
                     [&](const auto& member) { return holds_local_only(member.value, root, depth + 1); });
}

// Reads one remote document into a copy of the local configuration.
class RemoteReader {
 public:
  RemoteReader(CollectorConfig& config, const std::vector<KnownPlugin>& known) : config_(config), known_(known) {}

  Outcome read(const Node& document) {
    TableReader root(document, "", problems_);
    config_.remote_version = static_cast<std::uint64_t>(root.integer("version", 0, {0}));
    read_filters(root.strings("log_filters", {}), root);
    read_plugins(root.raw("plugins"));
    read_intervals(root.raw("intervals"));
    read_enabled(root.strings("enabled_collectors", {}), root);
    read_compression(root);
    // For the server alone; their form is checked all the same.
    root.integer("retention_days", 0, {0});
    root.string("backup_interval");
    root.finish();
    return problems_.empty() ? Outcome() : Outcome(problems_.as_error());
  }

 private:
  // The local table of the plugin called `name`; an empty, disabled one if the operator wrote none. nullptr: not installed.
  PluginConfig* plugin_named(const std::string& name, const Origin& origin, const std::string& path) {
    const KnownPlugin* const plugin = find_plugin(known_, canonical_plugin_name(name));
    if (plugin == nullptr) {
      std::vector<std::string> ids;
      for (const KnownPlugin& installed : known_) ids.push_back(installed.id);
      const std::string near = schema::nearest(name, ids);
      problems_.add(origin, path, "no plugin '" + name + "' is installed here",
                    near.empty() ? "Install it on this host, or leave it out." : "Did you mean '" + near + "'?",
                    "config.unknown_plugin");
      return nullptr;
    }
    auto found = config_.plugins.find(plugin->id);
    if (found == config_.plugins.end()) {
      PluginConfig fresh;
      fresh.id = plugin->id;
      fresh.enabled = false;
      fresh.keys = make_table(origin);
      found = config_.plugins.emplace(plugin->id, std::move(fresh)).first;
    }
    return &found->second;
  }

  const Node::Table* table_of(const Node* node, const std::string& path) {
    if (node == nullptr) return nullptr;
    const auto* const table = std::get_if<Node::Table>(&node->value);
    if (table == nullptr)
      problems_.add(node->origin, path, std::string("expected an object, found ") + node->kind(), "", "config.type");
    return table;
  }

  void read_intervals(const Node* node) {
    const Node::Table* const intervals = table_of(node, "intervals");
    if (intervals == nullptr) return;
    TableReader reader(*node, "intervals", problems_);
    for (const auto& [name, value] : *intervals) {
      PluginConfig* const plugin = plugin_named(name, value.origin, "intervals." + name);
      if (plugin == nullptr) continue;
      // A duration string or whole seconds.
      const std::int64_t interval_ms = std::holds_alternative<std::int64_t>(value.value)
                                           ? reader.integer(name, 0, {1, kIntervals.max / 1000}) * 1000
                                           : reader.duration_ms(name, 0, kIntervals);
      if (interval_ms != 0 && !plugin->pins("interval")) plugin->interval_ms = interval_ms;
    }
  }

  // An empty list leaves the choice to the local configuration; otherwise these and no others run.
  void read_enabled(const std::vector<std::string>& names, const TableReader& root) {
    if (names.empty()) return;
    std::set<std::string> wanted;
    for (const std::string& name : names) {
      const PluginConfig* const plugin = plugin_named(name, root.origin("enabled_collectors"), "enabled_collectors");
      if (plugin != nullptr) wanted.insert(plugin->id);
    }
    for (auto& [id, plugin] : config_.plugins) {
      if (!plugin.pins("enabled")) plugin.enabled = wanted.count(id) != 0;
    }
  }

  // Severities of server log entries to keep: the key `severities` of the plugin logs.
  void read_filters(const std::vector<std::string>& severities, const TableReader& root) {
    if (severities.empty() || find_plugin(known_, "logs") == nullptr) return;
    const Origin& origin = root.origin("log_filters");
    PluginConfig* const logs = plugin_named("logs", origin, "log_filters");
    if (logs == nullptr || logs->pins("severities")) return;
    Node::Array array;
    for (const std::string& severity : severities) array.push_back(Node{severity, origin});
    logs->keys.set("severities", Node{std::move(array), origin});
  }

  void read_plugins(const Node* node) {
    const Node::Table* const plugins = table_of(node, "plugins");
    if (plugins == nullptr) return;
    for (const auto& [name, keys] : *plugins) {
      const std::string path = "plugins." + name;
      PluginConfig* const plugin = plugin_named(name, keys.origin, path);
      const Node::Table* const table = table_of(&keys, path);
      if (plugin == nullptr || table == nullptr) continue;
      const schema::Schema& schema = *find_plugin(known_, plugin->id)->config_schema;
      for (const auto& [key, value] : *table) read_key(*plugin, schema, key, value, path + "." + key);
    }
  }

  void read_key(PluginConfig& plugin, const schema::Schema& schema, const std::string& key, const Node& value,
                const std::string& path) {
    const auto& document = schema.document();
    const auto properties = document.FindMember("properties");
    const bool declared = properties != document.MemberEnd() && properties->value.HasMember(key);
    if (is_among(kRightsKeys, key)) {
      problems_.add(value.origin, path, "may be set on the host only, because it says what a plugin may do there",
                    "Set it in the collector's own file.", "config.local_only");
    } else if (!declared) {
      const std::string near = schema::nearest(key, schema.top_level_keys());
      problems_.add(value.origin, path, "unknown key",
                    near.empty() ? "Leave it out: the plugin has no such key." : "Did you mean '" + near + "'?",
                    "config.unknown_key");
    } else if (holds_local_only(properties->value[key], document, 0)) {
      problems_.add(value.origin, path,
                    "may be set on the host only, because it names a path, a connection, a command or a secret",
                    "Set it in the collector's own file.", "config.local_only");
    } else if (!plugin.pins(key)) {
      plugin.keys.set(key, value);
    }
  }

  // true is zstd.
  void read_compression(TableReader& root) {
    const Node* const node = root.raw("compression");
    if (node == nullptr) return;
    if (const bool* const flag = std::get_if<bool>(&node->value)) {
      config_.compression = *flag ? compression::Encoding::kZstd : compression::Encoding::kIdentity;
      return;
    }
    const std::string name = root.choice("compression", "zstd", {"zstd", "gzip"});
    config_.compression = name == "gzip" ? compression::Encoding::kGzip : compression::Encoding::kZstd;
  }

  CollectorConfig& config_;
  const std::vector<KnownPlugin>& known_;
  Problems problems_;
};

}  // namespace

Expected<CollectorConfig> apply_remote(const CollectorConfig& local, std::string_view document,
                                       const std::vector<KnownPlugin>& known) {
  const Origin origin{std::make_shared<const std::string>("remote configuration"), 0};
  auto parsed = schema::parse_json(document, document_limits());
  if (!parsed) {
    Error error = std::move(parsed).error().while_doing("remote configuration");
    error.status = PGA_E_CONFIG;
    return error;
  }
  PGA_TRY(const Node tree, from_json(*parsed, origin, ""));
  if (!tree.is_table()) return Error{PGA_E_CONFIG, "config.type", "remote configuration: is not an object", "", 0};
  CollectorConfig config = local;
  PGA_CHECK(RemoteReader(config, known).read(tree));
  return config;
}

}  // namespace pganalytics::config
