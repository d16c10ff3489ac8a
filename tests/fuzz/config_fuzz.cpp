// Any bytes as a configuration: the file, its drop-in and the environment, with a line "###" between them. A file alone may be
// all of it.
// links: pganalytics::config
#include "core/config/collector_config.h"
#include "core/config/plugin_config.h"

#include "tests/fuzz/input_file.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

using namespace pganalytics;

namespace {

config::KnownPlugin known_plugin() {
  auto schema = schema::Schema::parse(
      R"({"type":"object","additionalProperties":false,"properties":{"paths":{"type":"array","items":{"type":"string","format":"path-read"}},
          "severities":{"type":"array","items":{"type":"string"}},"conninfo":{"type":"string","format":"conninfo"},"count":{"type":"integer","minimum":1}}})",
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
  if (!resolved) return;
  const config::Node* const conninfo = logs->second.keys.find("conninfo");
  const std::string text = conninfo == nullptr ? "" : std::get<std::string>(conninfo->value);
  if (resolved->named.files.size() > static_cast<std::size_t>(std::count(text.begin(), text.end(), '='))) std::abort();
}

// Lines NAME=value.
config::Environment environment_of(std::string_view text) {
  config::Environment environment;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) environment.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return environment;
}

std::string_view take_part(std::string_view& text) {
  constexpr std::string_view kMark = "\n###\n";
  const std::string_view part = text.substr(0, text.find(kMark));
  text.remove_prefix(std::min(text.size(), part.size() + kMark.size()));
  return part;
}

void check_whole(std::string_view file, std::string_view drop_in, const config::Environment& environment,
                 const config::KnownPlugin& plugin) {
  static const fuzz::Folder folder;
  static const bool made = (folder.make("conf.d"), true);
  static_cast<void>(made);
  folder.write("c.toml", file);
  folder.write("conf.d/10.toml", drop_in);
  const auto config = config::load(folder.path() + "/c.toml", environment);
  check(config, plugin);
  const auto name = environment.find("PGANALYTICS_NAME");  // the environment comes last
  if (config && name != environment.end() && !name->second.empty() && config->name != name->second) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<config::KnownPlugin> known = {known_plugin()};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view rest = text;
  const std::string_view file = take_part(rest);
  if (file.size() == text.size()) {
    check(config::load_text(text, "fuzz.toml"), known.front());
  } else {
    const std::string_view drop_in = take_part(rest);
    check_whole(file, drop_in, environment_of(rest), known.front());
  }
  return 0;
}
