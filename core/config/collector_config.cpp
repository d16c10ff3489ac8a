#include "core/config/collector_config.h"

#include "core/config/operator_keys.h"
#include "core/config/plugin_names.h"
#include "core/config/toml_reader.h"
#include "core/instance/instance_name.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

extern char** environ;

namespace pganalytics::config {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr Range kIntervals{100, kDay};

// The few keys that a unit file or a container may set.
struct Variable {
  const char* name;
  const char* table;
  const char* key;
};
constexpr Variable kVariables[] = {
    {"PGANALYTICS_NAME", "collector", "name"},           {"PGANALYTICS_STATE_DIR", "collector", "state_dir"},
    {"PGANALYTICS_LOG_LEVEL", "collector", "log_level"}, {"PGANALYTICS_LOG_FORMAT", "collector", "log_format"},
    {"PGANALYTICS_OUTPUT", "collector", "output"},       {"PGANALYTICS_BACKEND_URL", "backend", "url"},
    {"PGANALYTICS_CA_FILE", "backend", "ca_file"}};

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

// [plugins.pg_logs] and [plugins.logs] are one plugin, so drop-ins may name it either way; one file may not do both.
Outcome resolve_aliases(Node& file) {
  Node* const plugins = file.find("plugins");
  if (plugins == nullptr || !plugins->is_table()) return {};
  Node renamed = make_table(plugins->origin);
  for (auto& [name, node] : std::get<Node::Table>(plugins->value)) {
    std::string id = canonical_plugin_name(name);
    if (const Node* const twin = renamed.find(id)) {
      Problems problems;
      problems.add(node.origin, "plugins." + name,
                   "is the plugin '" + id + "', configured at " + twin->origin.text() + " already",
                   "Keep one of the two tables.");
      return problems.as_error();
    }
    renamed.set(std::move(id), std::move(node));
  }
  *plugins = std::move(renamed);
  return {};
}

Outcome lay_file_over(Node& tree, Expected<Node> file) {
  if (!file) return std::move(file).error();
  PGA_CHECK(resolve_aliases(*file));
  overlay(tree, std::move(file).value());
  return {};
}

// conf.d/*.toml beside `file`, in the order of their names.
std::vector<std::string> drop_ins(const std::string& file) {
  std::vector<std::string> found;
  std::error_code absent;
  const auto folder = std::filesystem::path(file).parent_path() / "conf.d";
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    if (entry.path().extension() == ".toml") found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void lay_environment_over(Node& tree, const Environment& environment) {
  for (const Variable& variable : kVariables) {
    const auto found = environment.find(variable.name);
    if (found == environment.end() || found->second.empty()) continue;
    const Origin origin{std::make_shared<const std::string>("environment variable " + found->first), 0};
    Node table = make_table(origin);
    table.set(variable.key, Node{found->second, origin});
    Node root = make_table(origin);
    root.set(variable.table, std::move(table));
    overlay(tree, std::move(root));
  }
}

void read_control_socket(TableReader& table, CollectorConfig& config) {
  const std::string& path = config.control_socket = table.string("control_socket", config.state_dir + "/control.sock");
  if (path.empty() || path.front() != '/') {
    table.problem("control_socket", "'" + path + "' is not an absolute path", "Give a path that begins with a slash.");
  } else if (path.size() > kControlSocketBytesMax) {
    table.problem(table.has("control_socket") ? "control_socket" : "state_dir",
                  "makes the control socket's path " + std::to_string(path.size()) + " bytes long; the system takes " +
                      std::to_string(kControlSocketBytesMax),
                  "Give a short path as control_socket, such as \"/run/pganalytics/control.sock\".");
  }
}

// What remote configuration sets too.
void read_shared(TableReader& table, CollectorConfig& config) {
  const std::string encoding = table.choice("compression", "zstd", {"zstd", "gzip", "none"});
  config.compression = encoding == "zstd"   ? compression::Encoding::kZstd
                       : encoding == "gzip" ? compression::Encoding::kGzip
                                            : compression::Encoding::kIdentity;
  config.backup_interval_ms = table.duration_ms("backup_interval", config.backup_interval_ms, {0, kBackupIntervalMaxMs});
  if (config.backup_interval_ms != 0 && config.backup_interval_ms < kBackupIntervalMinMs) {
    table.problem("backup_interval", "is out of range", "Give a value from 1m to 30d, or \"0s\" for no copies.");
  }
  for (const std::string& key : table.strings("pin", {})) {
    if (key == "compression" || key == "backup_interval") {
      config.pinned_keys.insert(key);
    } else {
      table.problem("pin", "'" + key + "' is not a key of [collector] that the server sets",
                    "\"compression\" and \"backup_interval\" may be pinned here, plugins' keys in their own tables.");
    }
  }
}

void read_collector(TableReader table, CollectorConfig& config) {
  config.name = table.string("name", host_name());
  if (config.name.empty() || config.name.size() > 200) table.problem("name", "must have 1 to 200 characters", "Give a name.");
  config.state_dir = table.string("state_dir", config.state_dir);
  if (config.state_dir.empty() || config.state_dir.front() != '/') {
    table.problem("state_dir", "'" + config.state_dir + "' is not an absolute path", "Give a path that begins with a slash.");
  }
  read_control_socket(table, config);
  config.plugin_dirs = table.strings("plugin_dirs", {});
  config.config_pull_interval_ms = table.duration_ms("config_pull_interval", config.config_pull_interval_ms, {kSecond, kDay});
  config.config_probation_ms = table.duration_ms("config_probation", config.config_probation_ms, {kSecond, 3600 * kSecond});
  config.push_timeout_ms = table.duration_ms("push_timeout", config.push_timeout_ms, {kSecond, 3600 * kSecond});
  read_shared(table, config);
  const std::string level = table.choice("log_level", "info", {"error", "warn", "info", "debug"});
  if (const auto parsed = log::parse_level(level)) config.log_level = *parsed;
  const std::string format = table.choice("log_format", "text", {"text", "json"});
  if (const auto parsed = log::parse_format(format)) config.log_format = *parsed;
  config.output = table.string("output", config.output);
  if (config.output.empty()) table.problem("output", "is empty", "Give \"-\" for standard output, or a file's path.");
  table.finish();
}

void check_url(TableReader& table, const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  const std::string example = "Give it as \"https://host:8443\".";
  if (url.rfind("http://", 0) == 0) {
    table.problem("url", "'" + url + "' is not encrypted; only https is used", example);
  } else if (url.rfind(kScheme, 0) != 0 || url.size() == kScheme.size() || url[kScheme.size()] == '/' ||
             url.find_first_of(" \t\r\n@?#") != std::string::npos) {
    table.problem("url", "'" + url + "' is not an https URL of host and port", example);
  }
}

void read_backend(TableReader root, TableReader table, CollectorConfig& config) {
  if (!root.has("backend")) return;
  BackendConfig backend;
  const auto url = table.string("url");
  if (url) {
    backend.url = *url;
    while (!backend.url.empty() && backend.url.back() == '/') backend.url.pop_back();
    check_url(table, *url);
  } else if (!table.has("url")) {
    root.problem("backend", "lacks its key 'url'", "Give it as \"https://host:8443\".");
  }
  backend.ca_file = table.string("ca_file", "");
  backend.proxy = table.string("proxy", "");
  if (!backend.proxy.empty() && backend.proxy.rfind("http://", 0) != 0) {
    table.problem("proxy", "'" + backend.proxy + "' is not the URL of an HTTP proxy", "Give it as \"http://host:3128\".");
  }
  table.finish();
  config.backend = std::move(backend);
}

void read_spool(TableReader table, SpoolConfig& spool) {
  spool.max_bytes = table.bytes("max_bytes", spool.max_bytes, {1 << 20});
  spool.max_age_ms = table.duration_ms("max_age", spool.max_age_ms, {60 * kSecond, 14 * kDay});
  if (table.raw("keep_free") != nullptr) spool.keep_free_bytes = table.bytes("keep_free", 0, {0});
  table.finish();
}

// pin = true, or pin = ["interval", "databases"].
void read_pin(TableReader& table, PluginConfig& plugin) {
  const Node* const pin = table.raw("pin");
  if (pin == nullptr) return;
  if (const bool* const flag = std::get_if<bool>(&pin->value)) {
    plugin.pinned = *flag;
    return;
  }
  const auto keys = table.strings("pin", {});
  plugin.pinned_keys.insert(keys.begin(), keys.end());
}

// "80%" of a core; 0 or "off" for none.
std::uint32_t read_cpu_max(TableReader& table, std::uint32_t fallback) {
  constexpr const char* kKey = "cpu_max";
  const Node* const node = table.raw(kKey);
  if (node == nullptr) return fallback;
  std::int64_t percent = -1;
  if (const auto* const number = std::get_if<std::int64_t>(&node->value); number != nullptr && *number == 0) percent = 0;
  if (const auto* const text = std::get_if<std::string>(&node->value)) {
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), percent);
    const bool whole = code == std::errc{} && end + 1 == text->data() + text->size() && *end == '%' && percent > 0;
    percent = whole ? percent : *text == "off" ? 0 : -1;
  }
  if (percent >= 0 && percent <= 10'000) return static_cast<std::uint32_t>(percent);
  table.problem(kKey, "is not a share of a processor core", "Give it as \"80%\", or \"off\" for no ceiling.");
  return fallback;
}

ConfinementConfig read_confinement(TableReader& table) {
  ConfinementConfig confinement;
  confinement.in_thread = table.choice("isolation", "process", {"process", "thread"}) == "thread";
  confinement.sandbox = table.boolean("sandbox", confinement.sandbox);
  confinement.allow_exec = table.boolean("allow_exec", confinement.allow_exec);
  confinement.user = table.string("user", "");
  confinement.groups = table.strings("groups", {});
  confinement.capabilities = table.strings("capabilities", {});
  confinement.memory_max_bytes = table.bytes("memory_max", confinement.memory_max_bytes, {16LL << 20});
  confinement.cpu_max_percent = read_cpu_max(table, confinement.cpu_max_percent);
  const bool other_rights = !confinement.user.empty() || !confinement.groups.empty() || !confinement.capabilities.empty();
  if (confinement.in_thread && other_rights) {
    table.problem("isolation", "\"thread\" cannot have user, groups or capabilities of its own",
                  "A thread shares the collector's: leave them out, or use \"process\".");
  }
  return confinement;
}

PluginConfig read_plugin(const std::string& id, const Node& node, Problems& problems) {
  TableReader table(node, "plugins." + id, problems);
  PluginConfig plugin;
  plugin.id = id;
  plugin.enabled = table.boolean("enabled", true);
  const auto duration = [&](const char* key) -> std::optional<std::int64_t> {
    const std::int64_t value = table.duration_ms(key, 0, kIntervals);
    return value == 0 ? std::nullopt : std::optional(value);
  };
  plugin.interval_ms = duration("interval");
  plugin.timeout_ms = duration("timeout");
  if (plugin.interval_ms && plugin.timeout_ms && *plugin.timeout_ms > *plugin.interval_ms) {
    table.problem("timeout", "is longer than the interval",
                  "Give a timeout of at most the interval: a run ends before the next begins.");
  }
  read_pin(table, plugin);
  plugin.confinement = read_confinement(table);
  plugin.keys = make_table(node.origin);
  for (const auto& [key, member] : std::get<Node::Table>(node.value)) {
    if (!is_operator_key(key)) plugin.keys.set(key, member);
  }
  return plugin;
}

void read_plugins(const Node* plugins, CollectorConfig& config, Problems& problems) {
  if (plugins == nullptr || !plugins->is_table()) return;  // TableReader::table() said what it is instead
  for (const auto& [id, node] : std::get<Node::Table>(plugins->value)) {
    if (!node.is_table()) {
      problems.add(node.origin, "plugins." + id, std::string("expected a table, found ") + node.kind(),
                   "Write it as " + instance::table_of(id) + " with its keys below.", "config.type");
      continue;
    }
    if (const Outcome named = instance::check_suffix(id); !named) {
      problems.add(node.origin, "plugins." + id, named.error().message, named.error().hint, named.error().code);
      continue;
    }
    config.plugins.emplace(id, read_plugin(id, node, problems));
  }
}

Expected<CollectorConfig> decode(const Node& tree, std::vector<std::string> files) {
  Problems problems;
  CollectorConfig config;
  config.files = std::move(files);
  TableReader root(tree, "", problems);
  read_collector(root.table("collector"), config);
  read_backend(root, root.table("backend"), config);
  config.prometheus = read_prometheus(root);
  config.pushed_output = read_output(root);
  read_spool(root.table("spool"), config.spool);
  root.table("plugins");
  root.finish();
  read_plugins(tree.find("plugins"), config, problems);
  if (!problems.empty()) return problems.as_error();
  return config;
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Expected<CollectorConfig> load(const std::string& file, const Environment& environment, bool may_be_absent) {
  Node tree = make_table({std::make_shared<const std::string>(file), 0});
  std::vector<std::string> files;
  auto main_file = read_toml_file(file);
  if (main_file || main_file.error().status != PGA_E_NOTFOUND || !may_be_absent) {
    PGA_CHECK(lay_file_over(tree, std::move(main_file)));
    files.push_back(file);
  }
  for (const std::string& drop_in : drop_ins(file)) {
    PGA_CHECK(lay_file_over(tree, read_toml_file(drop_in)));
    files.push_back(drop_in);
  }
  lay_environment_over(tree, environment);
  return decode(tree, std::move(files));
}

Expected<CollectorConfig> load_text(std::string_view toml, const std::string& name, const Environment& environment) {
  Node tree = make_table({std::make_shared<const std::string>(name), 0});
  PGA_CHECK(lay_file_over(tree, parse_toml(toml, name)));
  lay_environment_over(tree, environment);
  return decode(tree, {name});
}

}  // namespace pganalytics::config
