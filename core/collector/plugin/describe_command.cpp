// pganalytics plugin describe ID|FILE.so: what a plugin says of itself, for people, programs, documentation and configuration
// files.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/config_example.h"
#include "core/collector/plugin/plugin_choice.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/collector/plugin/reference_page.h"
#include "core/collector/plugin/schema_words.h"
#include "core/schema/json_text.h"
#include "core/terminal/text_table.h"

#include <rapidjson/document.h>

#include <cstdio>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

void describe_json(const host::PluginInfo& info) {
  JsonWriter json;
  json.begin_object().member("id", info.id).key("aliases").begin_array();
  for (const std::string& alias : info.aliases) json.value(alias);
  json.end_array()
      .member("version", info.version)
      .member("vendor", info.vendor)
      .member("description", info.description)
      .member("license", info.license)
      .member("url", text_or_null(info.url))
      .member("abi_minor", info.abi_minor)
      .member("needs", needs_words(info.needs))
      .member("default_interval_ms", info.default_interval_ms)
      .member("default_timeout_ms", info.default_timeout_ms)
      .member("path", info.path)
      .member("build_id", info.build_id);
  // Both were parsed as schemas before: they are JSON.
  json.key("config_schema").json(info.config_schema).key("output_schema").json(info.output_schema).end_object();
  print_json(json);
}

void print_keys(const host::PluginInfo& info) {
  const auto schema = schema::parse_json(info.config_schema);
  if (!schema || !schema->HasMember("properties")) return;
  std::printf("\nkeys of [plugins.%s], beside those that every plugin has:\n", info.id.c_str());
  for (const auto& property : (*schema)["properties"].GetObject()) {
    const auto fallback = property.value.FindMember("default");
    std::printf("  %-24s %-10s %s\n", terminal::printable(property.name.GetString()).c_str(),
                terminal::printable(type_words(*schema, property.value)).c_str(),
                fallback == property.value.MemberEnd() ? "" : ("default " + schema::to_text(fallback->value)).c_str());
    const std::string description = text_member(property.value, "description");
    if (!description.empty()) std::printf("      %s\n", terminal::printable(description).c_str());
  }
}

void describe_text(const host::PluginInfo& info) {
  std::string aliases;
  for (const std::string& alias : info.aliases) aliases += (aliases.empty() ? "" : ", ") + alias;
  std::printf("%s %s: %s\n", info.id.c_str(), terminal::printable(info.version).c_str(),
              terminal::printable(info.description).c_str());
  if (!aliases.empty()) std::printf("also called: %s\n", terminal::printable(aliases).c_str());
  std::printf("vendor: %s\nlicense: %s\nneeds: %s\n", terminal::printable(info.vendor).c_str(),
              terminal::printable(info.license).c_str(), needs_words(info.needs).c_str());
  std::printf("default interval: %.10g s\nfile: %s\nbuild id: %s\n", static_cast<double>(info.default_interval_ms) / 1000.0,
              info.path.c_str(), info.build_id.c_str());
  print_keys(info);
}

int print_made(const Expected<std::string>& text) {
  if (!text) {
    print_error(text.error());
    return kFailed;
  }
  std::fputs(text->c_str(), stdout);
  return kOk;
}

int describe(const host::PluginInfo& info, const CommandLine& line) {
  if (line.has("markdown")) return print_made(page_markdown(info));
  if (line.has("toml")) return print_made(config_example(info));
  if (line.has("json")) {
    describe_json(info);
  } else {
    describe_text(info);
  }
  return kOk;
}

}  // namespace

int plugin_describe_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line("plugin describe ID|FILE.so [options]",
                   "What a plugin says of itself, and the keys of its configuration. Exit code 0: shown; 1: there is no such\n"
                   "plugin, or its file is refused; 2: usage or configuration.");
  line.add()  //
      ("plugin", po::value<std::string>()->value_name("ID|FILE.so"),
       "the plugin, by id, alias or file; the word alone will do")                                             //
      ("json", "print JSON, schemas included")                                                                 //
      ("markdown", "print a reference page: facts, keys, and the fields of its documents with kind and unit")  //
      ("toml", "print a configuration file to begin with: every key with its meaning, commented out");
  line.positional("plugin", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (!line.has("plugin")) return line.usage_error("say which plugin: describe ID");
  if (line.has("json") + line.has("markdown") + line.has("toml") > 1) {
    return line.usage_error("--json, --markdown and --toml are three forms: choose one");
  }
  const auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Catalogue catalogue = catalogue_for(line.text("plugin"), config->plugin_dirs, worker_path());
  const auto info = chosen_plugin(catalogue, line.text("plugin"));
  if (!info) {
    print_error(info.error());
    return kFailed;
  }
  return describe(*info, line);
}

}  // namespace pganalytics::collector
