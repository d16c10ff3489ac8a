// pganalytics plugin list: every plugin file that was found, each of its instances, whether it is used, and why not.
//
// It reads each file's ELF note and runs no code of it. What only the plugin itself can say (its version, its aliases, whether it
// loads) is asked with --describe.
#include "core/clock/clock.h"
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/control_client.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/collector/self_report.h"
#include "core/collector/spool_keys.h"
#include "core/host/quarantine.h"
#include "core/instance/instance_name.h"
#include "core/spool/spool_view.h"
#include "core/terminal/text_table.h"

#include <cstdio>
#include <map>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

// Plugins of the running collector that collect nothing, and their state; nullopt: no collector answers.
std::optional<std::map<std::string, std::string>> troubles_told(const config::CollectorConfig& config) {
  const auto answer = ask_collector(config.control_socket, {ControlRequest::Command::kStatus, ""});
  if (!answer || !answer->HasMember("report") || !(*answer)["report"].IsObject()) return std::nullopt;
  std::map<std::string, std::string> troubles;
  const auto plugins = (*answer)["report"].FindMember("plugins");
  if (plugins == (*answer)["report"].MemberEnd() || !plugins->value.IsArray()) return std::nullopt;
  for (const auto& plugin : plugins->value.GetArray()) {
    if (!plugin.IsObject() || !plugin.HasMember("plugin") || !plugin.HasMember("state")) continue;
    if (!plugin["plugin"].IsString() || !plugin["state"].IsString() || !is_trouble(plugin["state"].GetString())) continue;
    troubles.emplace(plugin["plugin"].GetString(), plugin["state"].GetString());
  }
  return troubles;
}

// Without a collector: would the instance be quarantined at the next start, given this build of the plugin?
bool is_quarantined_in_spool(const config::CollectorConfig& config, const host::Candidate& candidate, const std::string& name) {
  auto view = spool::SpoolView::open(config.state_dir);
  if (!view) return false;
  const auto record = view->value(quarantine_key(name));
  if (!record || !*record) return false;
  host::Quarantine quarantine(clock::system_clock(), candidate.build_id);
  return quarantine.recall(**record) && quarantine.in_force();
}

class States {
 public:
  explicit States(const config::CollectorConfig& config) : config_(config), told_(troubles_told(config)) {}

  // What is listed of a file: the plugin's instances, or its id where there is none or it is refused.
  [[nodiscard]] std::vector<std::string> names_of(const Catalogue::Entry& entry) const {
    std::vector<std::string> names;
    for (const auto& [name, plugin] : config_.plugins) {
      if (!entry.refused && instance::plugin_of(name) == entry.candidate.id) names.push_back(name);
    }
    return names.empty() ? std::vector{entry.candidate.id} : names;
  }

  [[nodiscard]] std::string of(const Catalogue::Entry& entry, const std::string& name) const {
    if (entry.refused) return "refused";
    const auto configured = config_.plugins.find(name);
    if (configured == config_.plugins.end()) return "available";
    if (!configured->second.enabled) return "disabled";
    if (!told_) return is_quarantined_in_spool(config_, entry.candidate, name) ? "quarantined" : "enabled";
    const auto trouble = told_->find(name);
    return trouble == told_->end() ? "enabled" : trouble->second;
  }

 private:
  const config::CollectorConfig& config_;
  std::optional<std::map<std::string, std::string>> told_;
};

// Entries as the files alone make them.
std::vector<Catalogue::Entry> found_in(const std::vector<std::string>& folders) {
  std::vector<Catalogue::Entry> entries;
  for (host::Candidate& candidate : host::find_plugins(folders)) {
    const std::optional<Error> refused = candidate.refused;
    entries.push_back({std::move(candidate), std::nullopt, refused});
  }
  return entries;
}

std::optional<std::string> abi_of(const host::Candidate& candidate) {
  if (candidate.abi_major == 0) return std::nullopt;
  return std::to_string(candidate.abi_major) + "." + std::to_string(candidate.abi_minor);
}

std::optional<std::string> version_of(const Catalogue::Entry& entry) {
  return entry.info ? std::optional(entry.info->version) : std::nullopt;
}

void write_json(JsonWriter& json, const Catalogue::Entry& entry, const std::string& name, const std::string& state) {
  json.begin_object()
      .member("id", name)
      .member("abi", abi_of(entry.candidate))
      .member("version", version_of(entry))
      .member("state", state)
      .member("path", entry.candidate.path)
      .member("refused", entry.refused ? std::optional(entry.refused->message) : std::nullopt)
      .member("hint", entry.refused ? text_or_null(entry.refused->hint) : std::nullopt)
      .end_object();
}

void list_json(const std::vector<Catalogue::Entry>& entries, const States& states) {
  JsonWriter json;
  json.begin_array();
  for (const Catalogue::Entry& entry : entries) {
    for (const std::string& name : states.names_of(entry)) write_json(json, entry, name, states.of(entry, name));
  }
  json.end_array();
  print_json(json);
}

void list_text(const std::vector<Catalogue::Entry>& entries, const States& states, bool described) {
  terminal::TextTable table(described
                                ? std::vector<terminal::TextTable::Column>{{"ID"}, {"ABI"}, {"STATE"}, {"VERSION"}, {"FILE"}}
                                : std::vector<terminal::TextTable::Column>{{"ID"}, {"ABI"}, {"STATE"}, {"FILE"}});
  for (const Catalogue::Entry& entry : entries) {
    for (const std::string& name : states.names_of(entry)) {
      std::vector<std::string> cells = {name, abi_of(entry.candidate).value_or("-"), states.of(entry, name)};
      if (described) cells.push_back(version_of(entry).value_or("-"));
      cells.push_back(entry.candidate.path);
      table.row(cells);
    }
    if (entry.refused) table.note("refused: " + entry.refused->message);
    if (entry.refused && !entry.refused->hint.empty()) table.note("HINT: " + entry.refused->hint);
  }
  std::fputs(table.text().c_str(), stdout);
}

}  // namespace

int plugin_list_command(const Arguments& arguments) {
  CommandLine line("plugin list [options]",
                   "Every plugin file that was found, whether it is used, and why not; one that is configured several times has\n"
                   "a line for each instance. States: available (no table in the\n"
                   "configuration), enabled, disabled, refused; of the running collector also failed, quarantined and hung.\n"
                   "No plugin's code runs, unless --describe asks each for its version and its aliases.");
  line.add()("json", "print JSON")  //
      ("describe", "load each plugin, in a worker of its own, to ask for its version and whether it loads at all");
  if (const auto done = line.parse(arguments)) return *done;
  auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  std::vector<Catalogue::Entry> entries;
  if (line.has("describe")) {
    const Catalogue catalogue = Catalogue::of(config->plugin_dirs, worker_path());
    if (const Outcome adopted = config::adopt_aliases(*config, catalogue.known()); !adopted) {
      print_error(adopted.error());
      return kUsage;
    }
    entries = catalogue.entries();
  } else {
    entries = found_in(config->plugin_dirs);
  }
  const States states(*config);
  if (line.has("json")) {
    list_json(entries, states);
    return kOk;
  }
  list_text(entries, states, line.has("describe"));
  for (const std::string& folder : config->plugin_dirs) std::printf("looked in %s\n", folder.c_str());
  return kOk;
}

}  // namespace pganalytics::collector
