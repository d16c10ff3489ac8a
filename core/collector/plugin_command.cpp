// pganalytics plugin list | describe ID: what is installed here, and what each plugin says of itself.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/installation.h"
#include "core/schema/json_text.h"

#include <rapidjson/document.h>

#include <cstdio>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

void print(const JsonWriter& json) { std::printf("%.*s\n", static_cast<int>(json.text().size()), json.text().data()); }

const char* state_of(const Catalogue::Entry& entry, const config::CollectorConfig& config) {
  if (entry.refused) return "refused";
  const auto configured = config.plugins.find(entry.candidate.id);
  if (configured == config.plugins.end()) return "available";
  return configured->second.enabled ? "enabled" : "disabled";
}

void list_json(const Catalogue& catalogue, const config::CollectorConfig& config) {
  JsonWriter json;
  json.begin_array();
  for (const Catalogue::Entry& entry : catalogue.entries()) {
    json.begin_object()
        .member("id", entry.candidate.id)
        .member("version", entry.info ? std::optional(entry.info->version) : std::nullopt)
        .member("state", state_of(entry, config))
        .member("path", entry.candidate.path)
        .member("refused", entry.refused ? std::optional(entry.refused->message) : std::nullopt)
        .member("hint", entry.refused ? text_or_null(entry.refused->hint) : std::nullopt)
        .end_object();
  }
  json.end_array();
  print(json);
}

void list_text(const Catalogue& catalogue, const config::CollectorConfig& config) {
  std::printf("%-16s %-10s %-10s %s\n", "ID", "VERSION", "STATE", "FILE");
  for (const Catalogue::Entry& entry : catalogue.entries()) {
    std::printf("%-16s %-10s %-10s %s\n", entry.candidate.id.c_str(), entry.info ? entry.info->version.c_str() : "-",
                state_of(entry, config), entry.candidate.path.c_str());
    if (entry.refused) std::printf("    refused: %s\n", entry.refused->message.c_str());
    if (entry.refused && !entry.refused->hint.empty()) std::printf("    HINT: %s\n", entry.refused->hint.c_str());
  }
  for (const std::string& folder : config.plugin_dirs) std::printf("looked in %s\n", folder.c_str());
}

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
  print(json);
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

int plugin_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line(
      "plugin (list | describe ID) [options]",
      "list: every plugin file that was found, whether it is used, and why not. describe: what a plugin says of itself\n"
      "and the keys of its configuration.");
  line.add()("action", po::value<std::string>()->value_name("list|describe"), "what to do; the word alone will do")  //
      ("id", po::value<std::string>()->value_name("ID"), "the plugin to describe; the word alone will do")           //
      ("json", "print JSON");
  line.positional("action", 1);
  line.positional("id", 1);
  if (const auto done = line.parse(arguments)) return *done;
  const std::string action = line.text("action");
  if (action != "list" && action != "describe") return line.usage_error("say what to do: list, or describe ID");
  if (line.has("id") != (action == "describe"))
    return line.usage_error(action == "list" ? "list takes no ID" : "describe takes an ID");

  auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Catalogue catalogue = Catalogue::of(config->plugin_dirs, worker_path());
  if (action == "describe") return describe(catalogue, line.text("id"), line.has("json"));
  if (const Outcome adopted = config::adopt_aliases(*config, catalogue.known()); !adopted) {
    print_error(adopted.error());
    return kUsage;
  }
  if (line.has("json")) {
    list_json(catalogue, *config);
  } else {
    list_text(catalogue, *config);
  }
  return kOk;
}

}  // namespace pganalytics::collector
