#include "core/config/remote_overlay.h"

#include "core/config/host_only_keys.h"
#include "core/config/log_filters.h"
#include "core/config/node_json.h"
#include "core/config/operator_keys.h"
#include "core/config/plugin_names.h"
#include "core/config/toml_reader.h"
#include "core/instance/instance_name.h"
#include "core/schema/json_text.h"

#include <algorithm>
#include <map>
#include <set>

namespace pganalytics::config {
namespace {

using rapidjson::Value;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr Range kIntervals{1'000, kDayMs};            // the server's own; a shorter one is the operator's to give
constexpr std::size_t kDocumentBytesMax = 256 << 10;  // the server takes 64 KiB
constexpr unsigned kSchemaDepthMax = 32;

schema::JsonLimits document_limits() {
  schema::JsonLimits limits;
  limits.bytes = kDocumentBytesMax;
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
  return format != schema.MemberEnd() &&
         (format->value == "path-read" || format->value == "conninfo" || format->value == "host-port");
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

// The path of a key inside `value` that only the operator of the host may set, whatever the plugin's schema makes of it; "":
// none.
std::string host_only_inside(const Node& value, const std::string& path) {
  if (const auto* const array = std::get_if<Node::Array>(&value.value)) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (auto inside = host_only_inside((*array)[i], path + "." + std::to_string(i)); !inside.empty()) return inside;
    }
  }
  if (const auto* const table = std::get_if<Node::Table>(&value.value)) {
    for (const auto& [key, member] : *table) {
      const std::string below = path + "." + key;
      if (is_host_only_key(key)) return below;
      if (auto inside = host_only_inside(member, below); !inside.empty()) return inside;
    }
  }
  return "";
}

// Reads one remote document into a copy of the local configuration.
class RemoteReader {
 public:
  RemoteReader(CollectorConfig& config, const std::vector<KnownPlugin>& known) : config_(config), known_(known) {}

  Outcome read(const Node& document) {
    TableReader root(document, "", problems_);
    refuse_sections(document, root);
    config_.remote_version = static_cast<std::uint64_t>(root.integer("version", 0, {0}));
    read_filters(root.strings("log_filters", {}), root);
    read_plugins(root.raw("plugins"));
    read_intervals(root.raw("intervals"));
    read_enabled(root.strings("enabled_collectors", {}), root);
    read_compression(root);
    read_backup_interval(root);
    root.integer("retention_days", 0, {0});  // the server's own affair; its form is checked all the same
    root.finish();
    return problems_.empty() ? Outcome() : Outcome(problems_.as_error());
  }

 private:
  // Tables and keys of the collector's own file.
  void refuse_sections(const Node& document, TableReader& root) {
    for (const auto& [key, node] : std::get<Node::Table>(document.value)) {
      if (is_host_only_section(key)) refuse_host_only(*root.raw(key), key, "it is the collector's own");
    }
  }

  void refuse_host_only(const Node& value, const std::string& path, const char* why) {
    problems_.add(value.origin, path, std::string("may be set on the host only, because ") + why,
                  "Set it in the collector's own file.", "config.local_only");
  }

  // The local table of the instance called `name`; an empty, disabled one if the operator wrote none for the plugin's unnamed
  // one. nullptr: not installed, or a named instance without a table.
  PluginConfig* plugin_named(const std::string& name, const Origin& origin, const std::string& path) {
    const KnownPlugin* const plugin = find_plugin(known_, canonical_plugin_name(name));
    const std::string suffix(instance::suffix_of(name));
    if (plugin == nullptr) {
      std::vector<std::string> ids;
      for (const KnownPlugin& installed : known_) ids.push_back(installed.id);
      const std::string near = schema::nearest(std::string(instance::plugin_of(name)), ids);
      problems_.add(origin, path, "no plugin '" + name + "' is installed here",
                    near.empty() ? "Install it on this host, or leave it out." : "Did you mean '" + near + suffix + "'?",
                    "config.unknown_plugin");
      return nullptr;
    }
    auto found = config_.plugins.find(plugin->id + suffix);
    if (found == config_.plugins.end() && !suffix.empty()) {
      no_such_instance(plugin->id + suffix, origin, path);
      return nullptr;
    }
    if (found == config_.plugins.end()) {
      PluginConfig fresh;
      fresh.id = plugin->id;
      fresh.enabled = false;
      fresh.keys = make_table(origin);
      found = config_.plugins.emplace(plugin->id, std::move(fresh)).first;
    }
    return &found->second;
  }

  void no_such_instance(const std::string& name, const Origin& origin, const std::string& path) {
    const std::string near = nearest_instance(config_, name);
    problems_.add(
        origin, path, "no instance '" + name + "' is configured here",
        near.empty() ? "Its table is for the host's operator to write: it says what is read." : "Did you mean '" + near + "'?",
        "config.unknown_instance");
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

  // Which entries of the server's log to deliver: keys of the plugin logs, of each of its instances.
  void read_filters(const std::vector<std::string>& words, const TableReader& root) {
    const Origin& origin = root.origin("log_filters");
    if (words.size() > kLogFiltersMax)
      problems_.add(origin, "log_filters", "has more than " + std::to_string(kLogFiltersMax) + " words", "");
    std::map<LogFilter::Of, Node::Array> chosen;
    std::set<std::string> seen;
    for (const std::string& word : words) {
      auto filter = parse_log_filter(word);
      if (!filter) {
        problems_.add(origin, "log_filters", filter.error().message, filter.error().hint);
      } else if (seen.insert(to_word(filter.value())).second) {
        // A fleet of many versions shares one document: what a newer plugin knows is no error in an older one.
        const std::string mark = filter.value().of == LogFilter::Of::kSeverity ? "" : "?";
        chosen[filter.value().of].push_back(Node{mark + filter.value().text, origin});
      }
    }
    const KnownPlugin* const logs = find_plugin(known_, "logs");
    if (chosen.empty() || logs == nullptr) return;
    plugin_named(logs->id, origin, "log_filters");  // it has a table from now on
    for (auto& [id, plugin] : config_.plugins) {
      if (instance::plugin_of(id) == logs->id) set_filters(plugin, chosen, origin);
    }
  }

  // The operator's pin of a key keeps them out; so does that of either key that chooses severities.
  static void set_filters(PluginConfig& plugin, const std::map<LogFilter::Of, Node::Array>& chosen, const Origin& origin) {
    for (const auto& [of, texts] : chosen) {
      const char* const key = of == LogFilter::Of::kSeverity ? "severities"
                              : of == LogFilter::Of::kClass  ? "classes"
                                                             : "exclude_classes";
      const bool pinned = plugin.pins(key) || (of == LogFilter::Of::kSeverity && plugin.pins("min_severity"));
      if (!pinned) plugin.keys.set(key, Node{texts, origin});
    }
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
      refuse_host_only(value, path, "it says what a plugin may do there");
    } else if (!declared) {
      const std::string near = schema::nearest(key, schema.top_level_keys());
      problems_.add(value.origin, path, "unknown key",
                    near.empty() ? "Leave it out: the plugin has no such key." : "Did you mean '" + near + "'?",
                    "config.unknown_key");
    } else if (is_host_only_key(key) || holds_local_only(properties->value[key], document, 0)) {
      refuse_host_only(value, path, "it names a connection, a path, a command, SQL, an address or a secret");
    } else if (const std::string inside = host_only_inside(value, path); !inside.empty()) {
      refuse_host_only(value, inside, "it names a connection, a path, a command, SQL, an address or a secret");
    } else if (!plugin.pins(key)) {
      plugin.keys.set(key, value);
    }
  }

  // true is zstd.
  void read_compression(TableReader& root) {
    const Node* const node = root.raw("compression");
    if (node == nullptr) return;
    auto encoding = compression::Encoding::kZstd;
    if (const bool* const flag = std::get_if<bool>(&node->value)) {
      encoding = *flag ? compression::Encoding::kZstd : compression::Encoding::kIdentity;
    } else if (root.choice("compression", "zstd", {"zstd", "gzip"}) == "gzip") {
      encoding = compression::Encoding::kGzip;
    }
    if (config_.pinned_keys.count("compression") == 0) config_.compression = encoding;
  }

  void read_backup_interval(TableReader& root) {
    if (root.raw("backup_interval") == nullptr) return;  // asked for, so that it is a known key
    const std::int64_t interval_ms = root.duration_ms("backup_interval", 0, {0, kBackupIntervalMaxMs});
    if (interval_ms != 0 && interval_ms < kBackupIntervalMinMs) {
      root.problem("backup_interval", "is out of range", "Give a value from 1m to 30d, or \"0s\" for no copies.");
    } else if (config_.pinned_keys.count("backup_interval") == 0) {
      config_.backup_interval_ms = interval_ms;
    }
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
