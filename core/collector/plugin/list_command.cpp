// pganalytics plugin list: every plugin file that was found, whether it is used, and why not.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_commands.h"

#include <cstdio>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

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
  print_json(json);
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

}  // namespace

int plugin_list_command(const Arguments& arguments) {
  CommandLine line("plugin list [options]", "Every plugin file that was found, whether it is used, and why not.");
  line.add()("json", "print JSON");
  if (const auto done = line.parse(arguments)) return *done;
  auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Catalogue catalogue = Catalogue::of(config->plugin_dirs, worker_path());
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
