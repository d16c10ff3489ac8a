// Any bytes as a configuration file.
// links: pganalytics::config
#include "core/config/collector_config.h"
#include "core/config/plugin_config.h"

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
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(config::load_text(text, "fuzz.toml"), known.front());
  return 0;
}
