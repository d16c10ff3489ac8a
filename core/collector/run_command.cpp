// pganalytics run: the collector itself, until it is told to stop.
#include "core/collector/collector.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/log/log.h"

#include <sys/prctl.h>

namespace pganalytics::collector {

int run_command(const Arguments& arguments) {
  CommandLine line("run [options]",
                   "Runs the enabled plugins at their intervals and delivers what they collect. SIGHUP reads the configuration\n"
                   "again, SIGTERM and SIGINT stop: running plugins are cancelled, what is sealed is delivered for up to 5 s.");
  if (const auto done = line.parse(arguments)) return *done;
  // Its memory holds keys and passwords: no other process of its user, a worker that broke out least of all, may look into it.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const auto load = [&line] {
    auto config = line.load_config(true);
    if (config) log::set_format(config->log_format);
    return config;
  };
  auto collector = Collector::open(load);
  while (collector) {
    const int code = (*collector)->run();
    if (!(*collector)->has_successor()) return code;
    WakeSignals signals = (*collector)->take_signals();
    collector->reset();  // the state folder is free for the next
    collector = Collector::open(load, std::move(signals));
  }
  print_error(collector.error());
  if (collector.error().code == "spool.locked") return kLocked;
  return collector.error().code.rfind("spool.", 0) == 0 ? kFailed : kUsage;
}

}  // namespace pganalytics::collector
