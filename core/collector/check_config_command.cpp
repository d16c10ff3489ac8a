// pganalytics check-config: everything `run` would refuse to start with, without starting it.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/export_options.h"
#include "core/collector/installation.h"

#include <cstdio>

namespace pganalytics::collector {
namespace {

// Disabled tables too, as far as their plugin is installed: enabling one later must not be a surprise.
Outcome check_disabled(const config::CollectorConfig& config, const Catalogue& catalogue) {
  for (const auto& [id, plugin] : config.plugins) {
    if (plugin.enabled || catalogue.find(id) == nullptr) continue;
    const auto settings = catalogue.settings_of(plugin, config);
    if (!settings && settings.error().status == PGA_E_CONFIG) return settings.error();
  }
  return {};
}

Expected<Selection> check(const CommandLine& line) {
  PGA_TRY(config::CollectorConfig config, line.load_config(true));
  const Catalogue catalogue = Catalogue::of(config.plugin_dirs, worker_path());
  PGA_CHECK(config::adopt_aliases(config, catalogue.known()));
  PGA_TRY(Selection selection, select_enabled(config, catalogue));
  PGA_CHECK(check_disabled(config, catalogue));
  PGA_TRY(const auto output, open_pushed_output(config, catalogue));
  return selection;
}

}  // namespace

int check_config_command(const Arguments& arguments) {
  CommandLine line(
      "check-config [options]",
      "Reads the configuration as `run` would and says what is wrong. Exit code 0: it is right; 1: it is right, but\n"
      "an enabled plugin's file is refused; 2: it is wrong.");
  if (const auto done = line.parse(arguments)) return *done;
  const auto selection = check(line);
  if (!selection) {
    print_error(selection.error());
    return kUsage;
  }
  std::printf("%s is right\n", line.config_file().c_str());
  for (const host::PluginSettings& plugin : selection->settings) {
    std::printf("  %s every %.10g s\n", plugin.instance.c_str(), static_cast<double>(plugin.interval_ms) / 1000.0);
  }
  for (const Error& refused : selection->refused) print_error(refused);
  return selection->refused.empty() ? kOk : kFailed;
}

}  // namespace pganalytics::collector
