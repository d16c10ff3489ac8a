// The collector `exec`: runs the operator's commands and makes one document of what they say.
//
// Here: descriptor, configuration, the order of a run. Not here: processes (crew.h, child.h), what output means (json_lines.h,
// performance_data.h). Called by the host, one call at a time.
#include <algorithm>
#include <pganalytics/plugin.hpp>

#include "exec_embedded.h"
#include "plugins/exec/crew.h"
#include "plugins/exec/document.h"
#include "plugins/exec/settings.h"

namespace pganalytics::exec {
namespace {

class Exec : public Collector {
 public:
  Exec(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override {
    PGA_TRY(auto commands, parse_settings(config_json));
    if (!dry_run) commands_ = std::move(commands);
    return {};
  }

  Outcome collect(Run& run) override {
    if (run.reason() == PGA_REASON_FINAL) return {};  // nothing is kept back between runs
    std::vector<Crew::Task> tasks;
    for (const Command& command : commands_) tasks.push_back({&command, environment_of(command)});
    PGA_TRY(const auto finished, crew_.work(std::move(tasks), run));
    return run.emit(document_of(commands_, finished, run.timestamp(), run.max_document_bytes()));
  }

 private:
  // Whole and known: nothing of the collector's own environment reaches a command.
  Expected<std::vector<std::string>> environment_of(const Command& command) const {
    std::vector<std::string> env;
    for (const char* const fixed :
         {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}) {
      const std::string_view name = std::string_view(fixed).substr(0, std::string_view(fixed).find('='));
      const bool given = std::any_of(command.env.begin(), command.env.end(), [&](const Variable& v) { return v.name == name; });
      if (!given) env.emplace_back(fixed);
    }
    for (const Variable& variable : command.env) {
      std::string value = variable.value;
      if (variable.is_secret) {
        PGA_TRY(auto secret, host_.secret_get(variable.value.c_str()));
        if (!secret) {
          return Error{PGA_E_NOTFOUND, "exec.secret",
                       "there is no secret '" + variable.value + "' for its variable " + variable.name, "", 0};
        }
        value = *std::move(secret);
      }
      env.push_back(variable.name + "=" + value);
    }
    return env;
  }

  Host host_;
  std::vector<Command> commands_;
  Crew crew_;
};

}  // namespace
}  // namespace pganalytics::exec

PGA_DEFINE_PLUGIN(pganalytics::exec::Exec, "exec",
                  (pganalytics::PluginFacts{"0.1.0", "pgAnalytics", "Runs commands that print JSON lines or are Nagios checks",
                                            "Apache-2.0", "https://github.com/pganalytics/pganalytics", "",
                                            embedded::config_schema_json, embedded::output_schema_json,
                                            PGA_NEED_EXEC | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC, 0, 60'000, 30'000}))
