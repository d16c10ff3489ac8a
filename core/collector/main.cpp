// pganalytics: the collector. Finds the command that the first word names.
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/installation.h"
#include "core/collector/plugin_programs.h"
#include "core/schema/schema.h"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace pganalytics::collector {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const Arguments& arguments);
};

constexpr Command kCommands[] = {
    {"run", "collect and deliver until told to stop", run_command},
    {"cron", "the same as run", run_command},
    {"once", "run each enabled plugin once, documents on standard output", once_command},
    {"check-config", "say whether the configuration is right", check_config_command},
    {"doctor", "run each enabled plugin once: what works, what is missing, what cures it", doctor_command},
    {"register", "become known to a server", register_command},
    {"status", "how the collector and its plugins fare, what waits, what was lost", status_command},
    {"plugin", "the plugins of this host, and tools for their authors", plugin_command},
    {"version", "print the version", version_command},
};

void print_help(std::FILE* stream) {
  std::fputs("usage: pganalytics COMMAND [options]\n\nCollects metrics and logs of a PostgreSQL server.\n\nCommands:\n", stream);
  for (const Command& command : kCommands) std::fprintf(stream, "  %-14s %s\n", command.name, command.summary);
  const std::vector<std::string> of_plugins = commands_of_plugins(program_folder());
  if (!of_plugins.empty()) std::fputs("\nCommands of plugins:\n", stream);
  for (const std::string& command : of_plugins) {
    std::fprintf(stream, "  %-14s see `pganalytics %s --help`\n", command.c_str(), command.c_str());
  }
  std::fputs(
      "\nEach command has --help. Exit codes: 0 well, 1 something failed, 2 usage or configuration, 3 status: no\n"
      "collector runs, 75 another collector holds the state folder.\n",
      stream);
}

int unknown_command(const std::string& word) {
  std::vector<std::string> names = commands_of_plugins(program_folder());
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string near = schema::nearest(word, names);
  print_error({PGA_E_CONFIG, "usage", "there is no command '" + word + "'",
               near.empty() ? "See `pganalytics --help`." : "Did you mean '" + near + "'?", 0});
  return kUsage;
}

// Comes back only with the exit code of a failure.
int command_of_plugin(const std::string& name, const std::vector<std::string>& arguments) {
  const auto program = program_of_plugin(program_folder(), name);
  if (!program && program.error().status == PGA_E_NOTFOUND) return unknown_command(name);
  print_error(program ? become_program(program.value(), arguments) : program.error());
  return kFailed;
}

int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_help(stderr);
    return kUsage;
  }
  if (words.front() == "--help" || words.front() == "-h" || words.front() == "help") {
    print_help(stdout);
    return kOk;
  }
  const std::string name = words.front() == "--version" ? "version" : words.front();
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run({words.begin() + 1, words.end()});
  }
  return command_of_plugin(name, {words.begin() + 1, words.end()});
}

}  // namespace
}  // namespace pganalytics::collector

int main(int count, char** arguments) {
  try {
    return pganalytics::collector::dispatch({arguments + (count > 0 ? 1 : 0), arguments + count});
  } catch (const std::exception& thrown) {  // out of memory, and what nobody thought of
    std::fprintf(stderr, "pganalytics: %s\n", thrown.what());
    return pganalytics::collector::kFailed;
  }
}
