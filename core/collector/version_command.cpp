// pganalytics version
#include "core/collector/command_line.h"
#include "core/collector/commands.h"

#include <pganalytics/plugin.h>

#include <cstdio>

namespace pganalytics::collector {

int version_command(const Arguments& arguments) {
  CommandLine line("version", "Prints the version of the program and of the plugin ABI that it speaks.");
  if (const auto done = line.parse(arguments)) return *done;
  std::printf("pganalytics %s (plugin ABI %u.%u)\n", PGANALYTICS_VERSION, PGA_ABI_MAJOR, PGA_ABI_MINOR);
  return kOk;
}

}  // namespace pganalytics::collector
