// pganalytics plugin release ID: ends a plugin's quarantine, in the running collector or in what it left.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/control_client.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/collector/spool_keys.h"
#include "core/collector/spool_options.h"
#include "core/config/plugin_names.h"
#include "core/host/elf_note.h"
#include "core/instance/instance_name.h"
#include "core/spool/spool_view.h"

#include <algorithm>
#include <cstdio>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

// Without a collector: the record is taken out of its spool, if there is one.
Outcome release_in_spool(const config::CollectorConfig& config, const std::string& plugin) {
  PGA_TRY(auto view, spool::SpoolView::open(config.state_dir));
  PGA_TRY(const auto record, view.value(quarantine_key(plugin)));
  if (!record) {
    return Error{PGA_E_FAIL, "plugin.not_quarantined", "nothing is held against plugin " + plugin,
                 "`pganalytics plugin list` shows the plugins, `pganalytics status` how they fared.", 0};
  }
  PGA_TRY(const auto spool, open_spool_to_change(config));
  return spool->remove_value(quarantine_key(plugin));
}

Outcome release(const config::CollectorConfig& config, const std::string& plugin) {
  const auto answer = ask_collector(config.control_socket, {ControlRequest::Command::kRelease, plugin});
  if (answer) return {};
  if (answer.error().code != "control.absent") return answer.error();
  const auto installed = host::find_plugins(config.plugin_dirs);
  const std::string_view id = instance::plugin_of(plugin);
  if (std::none_of(installed.begin(), installed.end(), [&](const auto& candidate) { return candidate.id == id; })) {
    return Error{PGA_E_NOTFOUND, "plugin.unknown", "no plugin '" + plugin + "' is installed", "See `pganalytics plugin list`.",
                 0};
  }
  return release_in_spool(config, plugin);
}

void print_result(const std::string& plugin, const Outcome& released) {
  JsonWriter json;
  json.begin_object().member("plugin", plugin).member("released", static_cast<bool>(released));
  json.member("reason", released ? std::nullopt : std::optional(released.error().code));
  json.member("message", released ? std::nullopt : std::optional(released.error().message)).end_object();
  print_json(json);
}

}  // namespace

int plugin_release_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line(
      "plugin release ID [options]",
      "Ends the quarantine that a plugin earned by its faults: the running collector starts it again at once; without\n"
      "one, the next start does. Exit code 0: released; 1: it was not quarantined, is unknown, or the collector does\n"
      "not answer; 2: usage or configuration; 75: another process holds the state folder.");
  line.add()("id", po::value<std::string>()->value_name("ID"),
             "the plugin, or its instance (pg_stats@prod2); the word alone will do")  //
      ("json", "print JSON");
  line.positional("id", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (!line.has("id")) return line.usage_error("say which plugin: release ID");
  const std::string plugin = config::canonical_plugin_name(line.text("id"));
  if (!host::is_plugin_id(instance::plugin_of(plugin)) || !instance::check_suffix(plugin))
    return line.usage_error("'" + plugin + "' is not a plugin's id, nor an instance's name");
  const auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Outcome released = release(*config, plugin);
  if (line.has("json")) print_result(plugin, released);
  if (released) {
    if (!line.has("json")) std::printf("%s is released\n", plugin.c_str());
    return kOk;
  }
  print_error(released.error());
  return released.error().code == "spool.locked" ? kLocked : kFailed;
}

}  // namespace pganalytics::collector
