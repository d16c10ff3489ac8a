// The collector's configuration as one immutable snapshot, and how it is read.
//
// Precedence: defaults < file < conf.d/*.toml beside it, in the order of their names < environment < remote overlay
// (remote_overlay.h). Here: the core's own keys. Not here: plugins' keys, which only the plugin's schema knows (plugin_config.h).
// Nothing is half-configured: either all of it is valid or load() says what is wrong, with file and line. [main thread]
#pragma once

#include "core/compression/compression.h"
#include "core/config/export_config.h"
#include "core/config/node.h"
#include "core/log/log.h"

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::config {

// What a plugin may do and use up, as the operator says; core/host puts it in force.
struct ConfinementConfig {
  bool in_thread = false;  // isolation = "thread"
  bool sandbox = true;
  bool allow_exec = false;
  std::string user;  // "": the collector's own
  std::vector<std::string> groups, capabilities;
  std::int64_t memory_max_bytes = 256LL << 20;
  std::uint32_t cpu_max_percent = 80;  // of one core; 0: no ceiling
};

// One [plugins.<id>] or [plugins."<id>@<instance>"] table.
struct PluginConfig {
  std::string id;  // of the plugin, aliases are resolved; behind it "@" and the instance's name, but for the unnamed one
  bool enabled = true;
  std::optional<std::int64_t> interval_ms, timeout_ms;  // absent: the plugin's own defaults
  bool pinned = false;                                  // pin = true: remote changes nothing here
  std::set<std::string> pinned_keys;                    // pin = ["interval", ...]
  ConfinementConfig confinement;
  Node keys = make_table({});  // the plugin's own keys, for its schema

  // True if remote configuration may not change `key`.
  [[nodiscard]] bool pins(const std::string& key) const { return pinned || pinned_keys.count(key) != 0; }
};

struct BackendConfig {
  std::string url;      // https://host:port
  std::string ca_file;  // "": the CA that registration brought
  std::string proxy;    // "http://host:port"; "": none
};

// How often the state file may be copied: each minute to each month.
constexpr std::int64_t kBackupIntervalMinMs = 60'000, kBackupIntervalMaxMs = 30LL * 86'400'000;

struct SpoolConfig {
  std::int64_t max_bytes = 512LL << 20;
  std::int64_t max_age_ms = 48LL * 3'600'000;
  std::optional<std::int64_t> keep_free_bytes;  // unset: max(1 GiB, 5 % of the file system)
};

// What a Unix socket's path may have: the kernel's limit, without the final NUL.
constexpr std::size_t kControlSocketBytesMax = 107;

struct CollectorConfig {
  std::string name;  // host name if the file has none
  std::string state_dir = "/var/lib/pganalytics";
  std::string control_socket = "/var/lib/pganalytics/control.sock";  // in state_dir unless it is moved
  std::vector<std::string> plugin_dirs;                              // empty: the built-in ones
  std::int64_t config_pull_interval_ms = 300'000;
  std::int64_t config_probation_ms = 120'000;  // how long a remote configuration has to prove itself
  std::int64_t push_timeout_ms = 30'000;
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kText;  // of `pganalytics run`
  std::string output = "-";                     // without [backend] and [output.*]: "-" is stdout, else a file
  std::optional<BackendConfig> backend;
  std::optional<PrometheusConfig> prometheus;
  std::optional<OutputConfig> pushed_output;  // [output.*]; never beside backend
  SpoolConfig spool;
  // Remote may change these two, unless [collector] pin names them.
  compression::Encoding compression = compression::Encoding::kZstd;
  std::int64_t backup_interval_ms = 86'400'000;  // of the state file; 0: no copies
  std::set<std::string> pinned_keys;
  std::map<std::string, PluginConfig> plugins;  // by PluginConfig::id
  std::uint64_t remote_version = 0;             // 0: no remote overlay
  std::vector<std::string> files;               // what was read, in order

  // Documents are spooled and pushed; else they go to `output`.
  [[nodiscard]] bool delivers() const { return backend || pushed_output; }
};

using Environment = std::map<std::string, std::string>;
Environment process_environment();

// `file` and its drop-ins. A file that does not exist is an error, or with `may_be_absent` an empty one. PGA_E_CONFIG with every
// problem found; other statuses when a file cannot be read.
Expected<CollectorConfig> load(const std::string& file, const Environment& environment, bool may_be_absent = false);

// For tests and the fuzzer: one text instead of files.
Expected<CollectorConfig> load_text(std::string_view toml, const std::string& name, const Environment& environment = {});

}  // namespace pganalytics::config
