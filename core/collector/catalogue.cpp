#include "core/collector/catalogue.h"

#include "core/config/operator_keys.h"
#include "core/config/plugin_names.h"
#include "core/config/toml_reader.h"
#include "core/host/sandbox_policy.h"
#include "core/instance/instance_name.h"
#include "core/schema/schema.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kIntervalMs = 60'000;  // of a plugin that names none
constexpr std::int64_t kTimeoutMs = 30'000;
constexpr std::size_t kAtOnceMax = 8;  // files that are described

Error bad_schema(Error error, const host::PluginInfo& info, const std::string& which) {
  error = std::move(error).while_doing(info.path + ": its " + which + " schema is no good");
  if (error.hint.empty()) error.hint = "Its vendor can mend it: `pganalytics plugin validate " + info.path + "` shows the place.";
  return error;
}

Expected<config::KnownPlugin> known_from(const host::PluginInfo& info) {
  auto schema = schema::Schema::parse(info.config_schema, schema::Schema::Purpose::kConfig);
  if (!schema) return bad_schema(std::move(schema).error(), info, "configuration");
  for (const std::string& key : schema->top_level_keys()) {
    if (!config::is_operator_key(key)) continue;
    return Error{PGA_E_UNSUPPORTED, "schema.reserved_key",
                 info.path + ": its configuration schema has the key '" + key + "', which is the operator's",
                 "Its author must give the key another name.", 0};
  }
  const auto output = schema::Schema::parse(info.output_schema, schema::Schema::Purpose::kOutput);
  if (!output) return bad_schema(output.error(), info, "output");
  config::KnownPlugin known;
  known.id = info.id;
  known.aliases = info.aliases;
  known.default_interval_ms = info.default_interval_ms > 0 ? info.default_interval_ms : kIntervalMs;
  known.default_timeout_ms = info.default_timeout_ms > 0 ? info.default_timeout_ms : kTimeoutMs;
  known.config_schema = std::make_shared<const schema::Schema>(std::move(schema).value());
  return known;
}

bool goes_by(const Catalogue::Entry& entry, std::string_view name) {
  if (entry.candidate.id == name) return true;
  return entry.info && std::find(entry.info->aliases.begin(), entry.info->aliases.end(), name) != entry.info->aliases.end();
}

host::Confinement confinement_from(const config::ConfinementConfig& config) {
  host::Confinement confinement;
  confinement.isolation = config.in_thread ? host::Isolation::kThread : host::Isolation::kProcess;
  confinement.sandbox = config.sandbox;
  confinement.allow_exec = config.allow_exec;
  confinement.user = config.user;
  confinement.groups = config.groups;
  confinement.capabilities = config.capabilities;
  confinement.memory_max_bytes = config.memory_max_bytes;
  confinement.cpu_max_percent = config.cpu_max_percent;
  return confinement;
}

// The key of the plugin's table that an error of its policy is about.
const char* key_of(const Error& error) {
  constexpr std::pair<const char*, const char*> kKeys[] = {{"plugin.user", ".user"},
                                                           {"plugin.group", ".groups"},
                                                           {"plugin.capability", ".capabilities"},
                                                           {"plugin.exec", ".allow_exec"}};
  for (const auto& [code, key] : kKeys) {
    if (error.code == code) return key;
  }
  return "";
}

// What the operator wants of the sandbox can be had. Whether this very process has the capabilities for it shows when the worker
// is started: whoever checks a configuration is not always who runs it.
Outcome check_policy(const host::PluginSettings& settings, const config::PluginConfig& plugin) {
  const auto policy = host::policy_of(settings);
  if (policy || policy.error().status != PGA_E_CONFIG || policy.error().code == "plugin.privilege") return {};
  config::Problems problems;
  problems.add(plugin.keys.origin, "plugins." + plugin.id + key_of(policy.error()), policy.error().message, policy.error().hint,
               policy.error().code);
  return problems.as_error();
}

bool needs_process_alone(const host::PluginSettings& settings) {
  return settings.confinement.isolation == host::Isolation::kThread && (settings.info.flags & PGA_F_SINGLETON) != 0;
}

Error one_thread_only(const config::PluginConfig& plugin, const std::string& other) {
  config::Problems problems;
  problems.add(plugin.keys.origin, "plugins." + plugin.id + ".isolation",
               "\"thread\" cannot be had beside " + instance::table_of(other) + ": a process bears one instance of this plugin",
               "Leave isolation out of one of them: it gets a process of its own.", "plugin.isolation");
  return problems.as_error();
}

// What no plugin may read, whatever its configuration names.
std::vector<std::string> secret_paths_of(const config::CollectorConfig& config) {
  std::vector<std::string> paths = config.files;
  paths.push_back(config.state_dir);
  if (!config.files.empty()) {
    const auto folder = std::filesystem::path(config.files.front()).parent_path();
    for (const char* name : {"secrets", "conf.d"}) paths.push_back((folder / name).string());
  }
  if (const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr)
    paths.emplace_back(credentials);
  return paths;
}

// What `before` knows of this very file. One that was refused gets another chance: it may have been the machine's fault.
std::optional<host::PluginInfo> known_before(const host::Candidate& candidate, const Catalogue* before) {
  if (before == nullptr || candidate.build_id.empty()) return std::nullopt;
  for (const Catalogue::Entry& entry : before->entries()) {
    if (entry.info && entry.info->path == candidate.path && entry.info->build_id == candidate.build_id) return entry.info;
  }
  return std::nullopt;
}

void describe(Catalogue::Entry& entry, const std::string& worker_path) {
  if (entry.refused || entry.info) return;
  if (auto info = host::describe(entry.candidate, worker_path)) {
    entry.info = std::move(info).value();
  } else {
    entry.refused = std::move(info).error();
  }
}

// A file that hangs keeps only its own thread waiting.
void describe_all(std::vector<Catalogue::Entry>& entries, const std::string& worker_path) {
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&] {
    for (std::size_t i = next++; i < entries.size(); i = next++) describe(entries[i], worker_path);
  };
  const auto wanted =
      std::count_if(entries.begin(), entries.end(), [](const auto& entry) { return !entry.refused && !entry.info; });
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < std::min(static_cast<std::size_t>(wanted), kAtOnceMax)) others.emplace_back(take_turns);
  } catch (const std::system_error&) {  // no more threads to be had: it takes longer
  }
  take_turns();
  for (std::thread& other : others) other.join();
}

}  // namespace

Catalogue Catalogue::of(const std::vector<std::string>& plugin_dirs, const std::string& worker_path, const Catalogue* before) {
  return of(host::find_plugins(plugin_dirs), worker_path, before);
}

Catalogue Catalogue::of(std::vector<host::Candidate> candidates, const std::string& worker_path, const Catalogue* before) {
  std::vector<Entry> entries;
  for (host::Candidate& candidate : candidates) {
    Entry entry{std::move(candidate), std::nullopt, std::nullopt};
    entry.refused = entry.candidate.refused;
    if (!entry.refused) entry.info = known_before(entry.candidate, before);
    entries.push_back(std::move(entry));
  }
  describe_all(entries, worker_path);
  Catalogue catalogue;
  for (Entry& entry : entries) {
    if (entry.info) {
      if (auto known = known_from(*entry.info)) {
        catalogue.known_.push_back(std::move(known).value());
      } else {
        entry.refused = std::move(known).error();
      }
    }
    catalogue.entries_.push_back(std::move(entry));
  }
  return catalogue;
}

const Catalogue::Entry* Catalogue::find(const std::string& name) const {
  const std::string canonical = config::canonical_plugin_name(name);
  const std::string_view id = instance::plugin_of(canonical);
  const Entry* refused = nullptr;
  for (const Entry& entry : entries_) {
    if (!goes_by(entry, id)) continue;
    if (!entry.refused) return &entry;
    if (refused == nullptr) refused = &entry;
  }
  return refused;
}

std::vector<std::string> Catalogue::ids() const {
  std::vector<std::string> ids;
  for (const Entry& entry : entries_) ids.push_back(entry.candidate.id);
  return ids;
}

Expected<host::PluginSettings> Catalogue::settings_of(const config::PluginConfig& plugin,
                                                      const config::CollectorConfig& config) const {
  const Entry* const entry = find(plugin.id);
  if (entry == nullptr) {
    const std::string near = schema::nearest(std::string(instance::plugin_of(plugin.id)), ids());
    config::Problems problems;
    problems.add(plugin.keys.origin, "plugins." + plugin.id, "no such plugin is installed",
                 near.empty() ? "`pganalytics plugin list` shows what is, and where it was looked for."
                              : "Did you mean '" + near + std::string(instance::suffix_of(plugin.id)) + "'?",
                 "config.unknown_plugin");
    return problems.as_error();
  }
  if (entry->refused) {
    Error error = *entry->refused;
    error.status = PGA_E_UNSUPPORTED;  // never PGA_E_CONFIG: the operator's file is right
    return std::move(error).while_doing("plugin " + plugin.id);
  }
  PGA_TRY(config::ResolvedPlugin resolved, config::resolve(plugin, *config::find_plugin(known_, entry->info->id)));
  host::PluginSettings settings;
  settings.info = *entry->info;
  settings.instance = resolved.id;
  settings.config_json = std::move(resolved.config_json);
  settings.secret_names = std::move(resolved.secret_names);
  settings.interval_ms = resolved.interval_ms;
  settings.timeout_ms = resolved.timeout_ms;
  settings.confinement = confinement_from(plugin.confinement);
  settings.read_paths = std::move(resolved.named.paths);
  settings.read_files = std::move(resolved.named.files);
  settings.secret_paths = secret_paths_of(config);
  return settings;
}

Expected<Selection> select_enabled(const config::CollectorConfig& config, const Catalogue& catalogue) {
  Selection selection;
  config::Problems problems;
  std::map<std::string, std::string> alone;  // plugins of which this process bears one instance, and which that is
  for (const auto& [id, plugin] : config.plugins) {
    if (!plugin.enabled) continue;
    auto settings = catalogue.settings_of(plugin, config);
    if (settings) {
      if (Outcome possible = check_policy(*settings, plugin); !possible) {
        problems.add(std::move(possible).error());
        continue;
      }
      if (needs_process_alone(*settings)) {
        const auto [other, first] = alone.emplace(settings->info.id, id);
        if (!first) problems.add(one_thread_only(plugin, other->second));
      }
      selection.settings.push_back(std::move(settings).value());
    } else if (settings.error().status == PGA_E_CONFIG) {
      problems.add(std::move(settings).error());
    } else {
      selection.refused.push_back(std::move(settings).error());
    }
  }
  if (!problems.empty()) return problems.as_error();
  return selection;
}

Expected<config::PluginConfig*> table_named(config::CollectorConfig& config, const Catalogue& catalogue,
                                            const std::string& name) {
  PGA_CHECK(instance::check_suffix(name));
  const Catalogue::Entry* const entry = catalogue.find(name);
  const std::string canonical = config::canonical_plugin_name(name), suffix(instance::suffix_of(name));
  const std::string id = entry != nullptr && entry->info ? entry->info->id + suffix : canonical;
  const bool is_configured = config.plugins.count(id) != 0;
  if (!is_configured && !suffix.empty()) {
    const std::string near = config::nearest_instance(config, id);
    return Error{PGA_E_CONFIG, "config.unknown_instance", "no instance '" + id + "' is configured",
                 near.empty() ? "Write its table, " + instance::table_of(id) + ", first." : "Did you mean '" + near + "'?", 0};
  }
  config::PluginConfig& plugin = config.plugins[id];
  plugin.id = id;
  return &plugin;
}

Expected<Selection> select_wanted(config::CollectorConfig& config, const Catalogue& catalogue, const std::string& name) {
  PGA_CHECK(config::adopt_aliases(config, catalogue.known()));
  if (name.empty()) {
    PGA_TRY(Selection selection, select_enabled(config, catalogue));
    if (selection.settings.empty() && selection.refused.empty()) {
      return Error{PGA_E_CONFIG, "plugin.none", "no plugin is enabled",
                   "Enable one in the configuration, or name one with --plugin ID.", 0};
    }
    return selection;
  }
  PGA_TRY(const config::PluginConfig* const plugin, table_named(config, catalogue, name));
  auto settings = catalogue.settings_of(*plugin, config);
  Selection selection;
  if (settings) {
    selection.settings.push_back(std::move(settings).value());
  } else if (settings.error().status == PGA_E_CONFIG) {
    return std::move(settings).error();
  } else {
    selection.refused.push_back(std::move(settings).error());
  }
  return selection;
}

}  // namespace pganalytics::collector
