// A plugin's own configuration: its keys checked against its schema, defaults filled in, as the JSON the plugin is given.
//
// Here: from PluginConfig and what the plugin says of itself to something that can be run. Not here: how plugins are found and
// asked (core/host). Pure functions. [any thread]
#pragma once

#include "core/config/collector_config.h"
#include "core/config/named_paths.h"
#include "core/schema/schema.h"

#include <memory>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::config {

// What configuration must know of an installed plugin.
struct KnownPlugin {
  std::string id;
  std::vector<std::string> aliases;  // of its descriptor
  std::int64_t default_interval_ms = 60'000, default_timeout_ms = 30'000;
  std::shared_ptr<const schema::Schema> config_schema;
};

// The plugin that goes by `name`, alias or id, or that an instance of this name is of; nullptr: none.
const KnownPlugin* find_plugin(const std::vector<KnownPlugin>& known, const std::string& name);

// Rename each table that goes by an alias of a plugin's descriptor to the plugin's id, instance by instance. PGA_E_CONFIG if both
// are configured.
Outcome adopt_aliases(CollectorConfig& config, const std::vector<KnownPlugin>& known);

// The configured instance whose whole name is nearest to `name`, of those that have a name of their own; "": none is near. For
// hints.
std::string nearest_instance(const CollectorConfig& config, const std::string& name);

// Ready to run.
struct ResolvedPlugin {
  std::string id;           // PluginConfig::id, by the plugin's own name
  std::string config_json;  // valid against its schema, defaults filled in
  std::set<std::string> secret_names;
  NamedPaths named;
  std::int64_t interval_ms = 0, timeout_ms = 0;  // timeout <= interval
};

// PGA_E_CONFIG: "<file>:<line>: plugins.<id>.<key>: <what>", with the nearest known key in the HINT.
Expected<ResolvedPlugin> resolve(const PluginConfig& config, const KnownPlugin& plugin);

}  // namespace pganalytics::config
