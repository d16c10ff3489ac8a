// What the server hands out, over an operator's own configuration: whatever it says, paths, connections, addresses, the way to
// the server, what plugins may do on the host and what is pinned stay the operator's.
// links: pganalytics::config
#include "core/config/collector_config.h"
#include "core/config/remote_overlay.h"

#include <cstdlib>
#include <string_view>
#include <variant>

using namespace pganalytics;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

config::KnownPlugin known_plugin() {
  auto schema = schema::Schema::parse(
      R"({"type":"object","additionalProperties":false,"properties":{"paths":{"type":"array","items":{"type":"string","format":"path-read"}},
          "conninfo":{"type":"string","format":"conninfo"},"listens":{"type":"string","format":"host-port"},
          "severities":{"type":"array","items":{"type":"string"}},"count":{"type":"integer","minimum":1}}})",
      schema::Schema::Purpose::kConfig);
  require(static_cast<bool>(schema));
  config::KnownPlugin plugin;
  plugin.id = "logs";
  plugin.config_schema = std::make_shared<const schema::Schema>(std::move(schema).value());
  return plugin;
}

void require_same_rights(const config::ConfinementConfig& a, const config::ConfinementConfig& b) {
  require(a.in_thread == b.in_thread && a.sandbox == b.sandbox && a.allow_exec == b.allow_exec && a.user == b.user);
  require(a.groups == b.groups && a.capabilities == b.capabilities);
  require(a.memory_max_bytes == b.memory_max_bytes && a.cpu_max_percent == b.cpu_max_percent);
}

// What is the host's own, of the collector itself.
void require_same_host(const config::CollectorConfig& a, const config::CollectorConfig& b) {
  require(a.backend->url == b.backend->url && a.backend->ca_file == b.backend->ca_file && a.backend->proxy == b.backend->proxy);
  require(a.name == b.name && a.state_dir == b.state_dir && a.control_socket == b.control_socket && a.output == b.output);
  require(a.plugin_dirs == b.plugin_dirs && a.files == b.files && a.log_level == b.log_level && a.pinned_keys == b.pinned_keys);
  require(a.config_pull_interval_ms == b.config_pull_interval_ms && a.config_probation_ms == b.config_probation_ms);
  require(a.push_timeout_ms == b.push_timeout_ms && a.backup_interval_ms == b.backup_interval_ms);
  require(a.spool.max_bytes == b.spool.max_bytes && a.spool.max_age_ms == b.spool.max_age_ms &&
          a.spool.keep_free_bytes == b.spool.keep_free_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<config::KnownPlugin> known = {known_plugin()};
  static const auto local = config::load_text(
      "[collector]\nname = \"db1\"\nplugin_dirs = [\"/own\"]\npin = [\"backup_interval\"]\n"
      "[backend]\nurl = \"https://own.example:8443\"\nca_file = \"/etc/own.crt\"\n"
      "[plugins.logs]\npaths = [\"/var/log/pg.log\"]\nconninfo = \"host=/run/own\"\nlistens = \"own:1\"\ncount = 3\n"
      "pin = [\"count\"]\nuser = \"postgres\"\n",
      "local.toml");
  require(static_cast<bool>(local));
  const auto remote = config::apply_remote(*local, {reinterpret_cast<const char*>(data), size}, known);
  if (!remote) {
    require(!remote.error().message.empty());
    return 0;
  }
  require_same_host(*remote, *local);
  const auto& logs = remote->plugins.at("logs");
  const auto& paths = std::get<config::Node::Array>(logs.keys.find("paths")->value);
  require(paths.size() == 1 && std::get<std::string>(paths[0].value) == "/var/log/pg.log");
  require(std::get<std::int64_t>(logs.keys.find("count")->value) == 3);
  require(std::get<std::string>(logs.keys.find("conninfo")->value) == "host=/run/own");
  require(std::get<std::string>(logs.keys.find("listens")->value) == "own:1");
  require_same_rights(logs.confinement, local->plugins.at("logs").confinement);
  const auto resolved = config::resolve(logs, known.front());
  if (resolved) require(resolved->interval_ms > 0 && resolved->timeout_ms <= resolved->interval_ms);
  return 0;
}
