// Any bytes as a configuration file, and as what the server hands out over a fixed one.
// links: pganalytics::config
#include "core/config/collector_config.h"
#include "core/config/remote_overlay.h"

#include <cstdlib>
#include <string_view>

using namespace pganalytics;

namespace {

config::KnownPlugin known_plugin() {
  auto schema = schema::Schema::parse(
      R"({"type":"object","additionalProperties":false,"properties":{"paths":{"type":"array","items":{"type":"string","format":"path-read"}},
          "severities":{"type":"array","items":{"type":"string"}},"count":{"type":"integer","minimum":1}}})",
      schema::Schema::Purpose::kConfig);
  if (!schema) std::abort();
  config::KnownPlugin plugin;
  plugin.id = "logs";
  plugin.config_schema = std::make_shared<const schema::Schema>(std::move(schema).value());
  return plugin;
}

// What was accepted has to make sense; what was refused has to say why.
void check(const Expected<config::CollectorConfig>& config, const config::KnownPlugin& plugin) {
  if (!config) {
    if (config.error().message.empty()) std::abort();
    return;
  }
  if (config->config_pull_interval_ms <= 0 || config->spool.max_bytes <= 0) std::abort();
  const auto logs = config->plugins.find("logs");
  if (logs == config->plugins.end()) return;
  const auto resolved = config::resolve(logs->second, plugin);
  if (resolved && (resolved->interval_ms <= 0 || resolved->timeout_ms > resolved->interval_ms)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<config::KnownPlugin> known = {known_plugin()};
  static const auto local = config::load_text("[plugins.logs]\npaths = [\"/var/log/pg.log\"]\npin = [\"count\"]\n", "local.toml");
  if (!local) std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(config::load_text(text, "fuzz.toml"), known.front());
  const auto remote = config::apply_remote(*local, text, known);
  check(remote, known.front());
  // Whatever the server says, paths stay the operator's.
  if (remote && std::get<config::Node::Array>(remote->plugins.at("logs").keys.find("paths")->value).size() != 1) std::abort();
  return 0;
}
