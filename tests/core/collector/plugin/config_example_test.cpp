#include "core/collector/plugin/config_example.h"

#include "core/config/collector_config.h"
#include "core/config/plugin_config.h"
#include "core/schema/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <sstream>

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;
using testing::must;

namespace {

host::PluginInfo plugin_with(const std::string& config_schema) {
  host::PluginInfo plugin;
  plugin.id = "acme";
  plugin.version = "1.0.0";
  plugin.description = "Anvils.";
  plugin.config_schema = config_schema;
  plugin.default_interval_ms = 300'000;
  plugin.default_timeout_ms = 250;
  return plugin;
}

// What sed 's/^#\([^ #]\)/\1/' makes of it.
std::string uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() > 1 && line[0] == '#' && line[1] != ' ' && line[1] != '#') line.erase(0, 1);
    result += line + "\n";
  }
  return result;
}

// The JSON that the plugin would be given with the example as its configuration.
Expected<std::string> configuration_from(const host::PluginInfo& plugin, const std::string& toml) {
  PGA_TRY(auto config, config::load_text(toml, "example"));
  config::KnownPlugin known;
  known.id = plugin.id;
  PGA_TRY(auto schema, schema::Schema::parse(plugin.config_schema, schema::Schema::Purpose::kConfig));
  known.config_schema = std::make_shared<const schema::Schema>(std::move(schema));
  PGA_TRY(auto resolved, config::resolve(config.plugins.at(plugin.id), known));
  return resolved.config_json;
}

}  // namespace

TEST_CASE("the example is inert as it stands and loads when its settings are uncommented") {
  const host::PluginInfo plugin =
      plugin_with(R"({"type":"object","additionalProperties":false,"required":["target"],"properties":{
    "target":{"type":"string","format":"host-port","description":"Where to, in one or more words, and so many of them that a line is not enough for all of them at once."},
    "odd key":{"type":"string","default":"a \"quoted\" \\ word\nand a line"},
    "ratio":{"type":"number","default":0.5},
    "wait":{"type":"string","format":"duration","examples":["45s"]},
    "level":{"type":"string","enum":["low","high"]},
    "password":{"type":"object","additionalProperties":false,"required":["$secret"],"properties":{"$secret":{"type":"string"}}},
    "rules":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"at":{"type":"integer","minimum":3}}}}}})");
  const std::string text = must(config_example(plugin));
  CHECK(must(config::load_text(text, "example")).plugins.empty());
  CHECK_THAT(text, Contains("#[plugins.acme]\n#enabled = true\n#interval = \"5m\"\n#timeout = \"250ms\"\n"));
  const auto json = must(schema::parse_json(must(configuration_from(plugin, uncommented(text)))));
  CHECK(json["target"] == "localhost:5432");
  CHECK(json["odd key"] == "a \"quoted\" \\ word\nand a line");
  CHECK(json["ratio"] == 0.5);
  CHECK(json["wait"] == "45s");
  CHECK(json["level"] == "low");
  CHECK(json["password"]["$secret"] == "name");
  CHECK(json["rules"][0]["at"] == 3);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK((line.empty() || line[0] == '#'));
}

TEST_CASE("a sample that the schema would not take is left to the plugin's author") {
  const host::PluginInfo plugin = plugin_with(R"({"type":"object","additionalProperties":false,"properties":{
    "code":{"type":"string","pattern":"^[0-9]+$"},"size":{"type":"integer","default":4}}})");
  const std::string text = must(config_example(plugin));
  CHECK_THAT(text, Contains("\n# code = ...\n") && Contains("\n#size = 4\n"));
  CHECK(configuration_from(plugin, uncommented(text)));
}

TEST_CASE("a description cannot smuggle a setting in") {
  const host::PluginInfo plugin = plugin_with(R"({"type":"object","additionalProperties":false,"properties":{
    "size":{"type":"integer","default":4,"description":"first\nsize = 9\n[plugins.other]"}}})");
  const std::string text = must(config_example(plugin));
  const auto json = must(schema::parse_json(must(configuration_from(plugin, uncommented(text)))));
  CHECK(json["size"] == 4);
}

TEST_CASE("a schema that is no good is an error") { CHECK_FALSE(config_example(plugin_with("{\"banana\":1}"))); }
