// What the server hands out, over an operator's own configuration: whatever it says, paths, commands, the server's address and
// what is pinned stay the operator's.
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
          "severities":{"type":"array","items":{"type":"string"}},"count":{"type":"integer","minimum":1}}})",
      schema::Schema::Purpose::kConfig);
  require(static_cast<bool>(schema));
  config::KnownPlugin plugin;
  plugin.id = "logs";
  plugin.config_schema = std::make_shared<const schema::Schema>(std::move(schema).value());
  return plugin;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<config::KnownPlugin> known = {known_plugin()};
  static const auto local = config::load_text(
      "[backend]\nurl = \"https://own.example:8443\"\nca_file = \"/etc/own.crt\"\n"
      "[plugins.logs]\npaths = [\"/var/log/pg.log\"]\ncount = 3\npin = [\"count\"]\n",
      "local.toml");
  require(static_cast<bool>(local));
  const auto remote = config::apply_remote(*local, {reinterpret_cast<const char*>(data), size}, known);
  if (!remote) {
    require(!remote.error().message.empty());
    return 0;
  }
  require(remote->config_pull_interval_ms > 0 && remote->spool.max_bytes > 0);
  const auto& logs = remote->plugins.at("logs");
  const auto& paths = std::get<config::Node::Array>(logs.keys.find("paths")->value);
  require(paths.size() == 1 && std::get<std::string>(paths[0].value) == "/var/log/pg.log");
  require(std::get<std::int64_t>(logs.keys.find("count")->value) == 3);
  const auto resolved = config::resolve(logs, known.front());
  if (resolved) require(resolved->interval_ms > 0 && resolved->timeout_ms <= resolved->interval_ms);
  return 0;
}
