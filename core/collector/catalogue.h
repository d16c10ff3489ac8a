// The plugins of this host: which files were found, which may be used, what they say of themselves, and how the configuration
// makes settings of them.
//
// Here: core/host's candidates and core/config's schemas brought together. Not here: running them (collector.h,
// once_command.cpp), describing beside a collector that runs (description.h). Immutable once made. [main thread; of candidates:
// any thread]
#pragma once

#include "core/config/collector_config.h"
#include "core/config/plugin_config.h"
#include "core/host/plugin_info.h"
#include "core/host/supervisor.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

class Catalogue {
 public:
  struct Entry {
    host::Candidate candidate;
    std::optional<host::PluginInfo> info;  // what it says of itself
    std::optional<Error> refused;          // why it is not used; then there may be no info
  };

  // Describing starts a worker per file, a few at a time; one that hangs takes ten seconds. before: files that it could use and
  // that are of the same build are not described again. Returns when the threads that it starts have ended.
  static Catalogue of(const std::vector<std::string>& plugin_dirs, const std::string& worker_path,
                      const Catalogue* before = nullptr);
  static Catalogue of(std::vector<host::Candidate> candidates, const std::string& worker_path, const Catalogue* before = nullptr);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<config::KnownPlugin>& known() const { return known_; }
  // By id or alias, or by the name of an instance of it; a usable one if there is any. nullptr: no such file.
  [[nodiscard]] const Entry* find(const std::string& name) const;

  // The names of all plugins that were found, for hints.
  [[nodiscard]] std::vector<std::string> ids() const;

  // One table's configuration made ready to run, beside the secrets of the whole. PGA_E_CONFIG: the configuration is wrong, or
  // no such plugin is installed; other statuses: the plugin's file is refused.
  [[nodiscard]] Expected<host::PluginSettings> settings_of(const config::PluginConfig& plugin,
                                                           const config::CollectorConfig& config) const;

 private:
  std::vector<Entry> entries_;
  std::vector<config::KnownPlugin> known_;
};

// What is to run, and what cannot though it is wanted.
struct Selection {
  std::vector<host::PluginSettings> settings;
  std::vector<Error> refused;  // plugins whose file is refused: the others run all the same
};

// All enabled plugins. PGA_E_CONFIG tells every wrong table at once, and two instances in threads of a plugin that bears but one
// in a process; then nothing is to run.
Expected<Selection> select_enabled(const config::CollectorConfig& config, const Catalogue& catalogue);

// The table of `name`, which somebody gave on a command line; the plugin's unnamed instance gets an empty one if the operator
// wrote none. Aliases are adopted (config::adopt_aliases). PGA_E_CONFIG: a named instance that has no table.
Expected<config::PluginConfig*> table_named(config::CollectorConfig& config, const Catalogue& catalogue, const std::string& name);

// For a command: the plugin `name`, enabled or not, configured or by its defaults; with "" all that are enabled. Aliases are
// adopted. PGA_E_CONFIG also when none is enabled.
Expected<Selection> select_wanted(config::CollectorConfig& config, const Catalogue& catalogue, const std::string& name);

}  // namespace pganalytics::collector
