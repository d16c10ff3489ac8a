// pganalytics plugin ACTION: finds the action that the first word names. The actions are in plugin/.
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/schema/schema.h"

#include <cstdio>

namespace pganalytics::collector {
namespace {

struct Action {
  const char* name;
  const char* usage;
  const char* summary;
  int (*run)(const Arguments& arguments);
};

constexpr Action kActions[] = {
    {"list", "list", "every plugin file that was found, whether it is used, and why not", plugin_list_command},
    {"describe", "describe ID|FILE", "what a plugin says of itself; its reference page, a configuration to begin with",
     plugin_describe_command},
    {"new", "new DIR", "a complete plugin project to begin from", plugin_new_command},
    {"release", "release ID", "end the quarantine that a plugin earned by its faults", plugin_release_command},
    {"run", "run ID|FILE", "run a plugin here and now, to see what it emits", plugin_run_command},
    {"validate", "validate FILE", "whether a plugin is a good one, check by check", plugin_validate_command},
};

void print_help(std::FILE* stream) {
  std::fputs("usage: pganalytics plugin ACTION [options]\n\nThe plugins of this host, and tools for their authors.\n\nActions:\n",
             stream);
  for (const Action& action : kActions) std::fprintf(stream, "  %-18s %s\n", action.usage, action.summary);
  std::fputs("\nEach action takes --config FILE and --plugin-dir DIR, and has --help.\n", stream);
}

}  // namespace

int plugin_command(const Arguments& arguments) {
  if (arguments.empty()) {
    print_help(stderr);
    return kUsage;
  }
  const std::string& word = arguments.front();
  if (word == "--help" || word == "-h") {
    print_help(stdout);
    return kOk;
  }
  std::vector<std::string> names;
  for (const Action& action : kActions) {
    if (word == action.name) return action.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(action.name);
  }
  const std::string near = schema::nearest(word, names);
  print_error({PGA_E_CONFIG, "usage", "plugin has no action '" + word + "'",
               near.empty() ? "See `pganalytics plugin --help`." : "Did you mean '" + near + "'?", 0});
  return kUsage;
}

}  // namespace pganalytics::collector
