// pganalytics plugin describe ID: what a plugin says of itself and the keys of its configuration.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/schema/json_text.h"

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
      .member("default_interval_ms", info.default_interval_ms)
      .member("default_timeout_ms", info.default_timeout_ms)
      .member("path", info.path)
      .member("build_id", info.build_id);
  // Both were parsed as schemas before: they are JSON.
  json.key("config_schema").json(info.config_schema).key("output_schema").json(info.output_schema).end_object();
  print_json(json);
}

std::string needs_of(const host::PluginInfo& info) {
  constexpr std::pair<std::uint32_t, const char*> kNeeds[] = {{PGA_NEED_PG, "PostgreSQL connections"},
                                                              {PGA_NEED_NET, "other network connections"},
                                                              {PGA_NEED_READ_FS, "reading the paths it is given"},
                                                              {PGA_NEED_PROC, "reading /proc and /sys"},
                                                              {PGA_NEED_EXEC, "running programs"}};
  std::string needs;
  for (const auto& [bit, name] : kNeeds) {
    if ((info.needs & bit) != 0) needs += (needs.empty() ? "" : ", ") + std::string(name);
  }
  return needs.empty() ? "nothing" : needs;
}

std::string member_text(const rapidjson::Value& schema, const char* key) {
  const auto member = schema.FindMember(key);
  if (member == schema.MemberEnd()) return "";
  return member->value.IsString() ? member->value.GetString() : schema::to_text(member->value);
}

void print_keys(const host::PluginInfo& info) {
  const auto schema = schema::parse_json(info.config_schema);
  if (!schema || !schema->HasMember("properties")) return;
  std::printf("\nkeys of [plugins.%s], beside enabled, interval, timeout and pin:\n", info.id.c_str());
  for (const auto& property : (*schema)["properties"].GetObject()) {
    const std::string type = member_text(property.value, "format").empty() ? member_text(property.value, "type")
                                                                           : member_text(property.value, "format");
    const auto fallback = property.value.FindMember("default");
    std::printf("  %-24s %-10s %s\n", property.name.GetString(), type.c_str(),
                fallback == property.value.MemberEnd() ? "" : ("default " + schema::to_text(fallback->value)).c_str());
    const std::string description = member_text(property.value, "description");
    if (!description.empty()) std::printf("      %s\n", description.c_str());
  }
}

void describe_text(const host::PluginInfo& info) {
  std::string aliases;
  for (const std::string& alias : info.aliases) aliases += (aliases.empty() ? "" : ", ") + alias;
  std::printf("%s %s: %s\n", info.id.c_str(), info.version.c_str(), info.description.c_str());
  if (!aliases.empty()) std::printf("also called: %s\n", aliases.c_str());
  std::printf("vendor: %s\nlicense: %s\nneeds: %s\n", info.vendor.c_str(), info.license.c_str(), needs_of(info).c_str());
  std::printf("default interval: %.10g s\nfile: %s\nbuild id: %s\n", static_cast<double>(info.default_interval_ms) / 1000.0,
              info.path.c_str(), info.build_id.c_str());
  print_keys(info);
}

int describe(const Catalogue& catalogue, const std::string& id, bool as_json) {
  const Catalogue::Entry* const entry = catalogue.find(id);
  if (entry == nullptr) {
    print_error({PGA_E_NOTFOUND, "plugin.unknown", "no plugin '" + id + "' is installed", "See `pganalytics plugin list`.", 0});
    return kFailed;
  }
  if (entry->refused) {
    print_error(*entry->refused);
    return kFailed;
  }
  if (as_json) {
    describe_json(*entry->info);
  } else {
    describe_text(*entry->info);
  }
  return kOk;
}

}  // namespace

int plugin_describe_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line("plugin describe ID [options]", "What a plugin says of itself, and the keys of its configuration.");
  line.add()("id", po::value<std::string>()->value_name("ID"), "the plugin, by id or alias; the word alone will do")  //
      ("json", "print JSON, schemas included");
  line.positional("id", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (!line.has("id")) return line.usage_error("say which plugin: describe ID");
  const auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  return describe(Catalogue::of(config->plugin_dirs, worker_path()), line.text("id"), line.has("json"));
}

}  // namespace pganalytics::collector
