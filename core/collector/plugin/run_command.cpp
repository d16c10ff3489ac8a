// pganalytics plugin run ID|FILE.so: one plugin, here and now, as `run` would run it: same worker, sandbox, limits and checks.
//
// Documents go to standard output; to standard error goes what its author wants to know of each run: what it took, and each
// document that was refused, with the rule it broke. State goes from run to run and ends with the command.
#include "core/clock/clock.h"
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/document_output.h"
#include "core/collector/foreground_runs.h"
#include "core/collector/installation.h"
#include "core/collector/plugin/plugin_choice.h"
#include "core/collector/plugin/plugin_commands.h"
#include "core/config/toml_reader.h"
#include "core/instance/instance_name.h"
#include "core/schema/units.h"
#include "core/terminal/text_table.h"

#include <algorithm>
#include <cstdio>
#include <pganalytics/text.hpp>

namespace pganalytics::collector {
namespace {

constexpr std::size_t kRefusedTextMax = 2'000;  // of a refused document that is shown

// "VmRSS:     1234 kB" of /proc/<pid>/status as "1.2 MiB"; "-": it is not there.
std::string memory_of(std::string_view status, std::string_view figure) {
  while (auto line = next_line(status)) {
    if (next_word(*line) != figure) continue;
    const auto kib = to_number<std::uint64_t>(next_word(*line));
    if (!kib) break;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(*kib) / 1024);
    return text;
  }
  return "-";
}

std::string documents_text(std::size_t count) { return std::to_string(count) + (count == 1 ? " document" : " documents"); }

class ShowingSink : public ForegroundSink {
 public:
  ShowingSink(const config::CollectorConfig& config, DocumentOutput& output, bool pretty)
      : ForegroundSink(config, ""), output_(output), pretty_(pretty) {}

  void watch(const host::Supervisor& supervisor) { supervisor_ = &supervisor; }
  Expected<std::map<std::string, std::string>> state_of(const std::string&) override { return state_; }

 private:
  void tell(const host::RunReport& report) override {
    const host::PluginHealth health = health_now();
    if (ended() == 1) tell_gaps(health);
    for (const host::RefusedDocument& refused : report.refused) {
      std::fprintf(stderr, "refused: %s\n    %s\n", terminal::printable(refused.why.message).c_str(),
                   terminal::printable(refused.document.substr(0, kRefusedTextMax)).c_str());
    }
    const std::string end =
        report.failed ? "failed: " + terminal::printable(report.failed->message) : documents_text(report.documents.size());
    const auto status = read_text("/proc/" + std::to_string(health.pid) + "/status", 64 << 10);
    const std::string memory = health.pid == 0 || !status ? "" : *status;
    std::fprintf(stderr, "run %zu: %s; %lld ms, RSS %s, peak %s\n", ended(), end.c_str(),
                 static_cast<long long>(report.duration_ms), memory_of(memory, "VmRSS:").c_str(),
                 memory_of(memory, "VmHWM:").c_str());
  }

  Outcome keep(host::RunReport&& report) override {
    if (pretty_) std::transform(report.documents.begin(), report.documents.end(), report.documents.begin(), indented);
    PGA_CHECK(output_.write(report.documents));
    for (auto& [key, value] : report.state) {
      if (value) {
        state_[key] = std::move(*value);
      } else {
        state_.erase(key);
      }
    }
    return {};
  }

  [[nodiscard]] host::PluginHealth health_now() const {
    const auto plugins = supervisor_->health();
    return plugins.empty() ? host::PluginHealth() : plugins.front();
  }

  static void tell_gaps(const host::PluginHealth& health) {
    for (const std::string& gap : health.sandbox_gaps) {
      std::fprintf(stderr, "sandbox: not in force: %s\n", terminal::printable(gap).c_str());
    }
  }

  DocumentOutput& output_;
  const bool pretty_;
  const host::Supervisor* supervisor_ = nullptr;
  std::map<std::string, std::string> state_;
};

// KEY=VALUE, the value as TOML writes it; a bare word is a string.
Expected<std::string> toml_line(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error{PGA_E_CONFIG, "usage", "--set " + word + " is no KEY=VALUE", "Write it as --set databases='[\"app\"]'.", 0};
  }
  const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
  for (const std::string& line : {key + " = " + value, key + " = '" + value + "'"}) {
    if (line.find('\n') == std::string::npos && config::parse_toml(line, "--set")) return line + "\n";
  }
  return Error{PGA_E_CONFIG, "usage", "--set " + word + " is no TOML", "Write it as --set databases='[\"app\"]'.", 0};
}

// What --set says, laid over the plugin's own keys.
Outcome set_keys(const std::vector<std::string>& words, config::PluginConfig& plugin) {
  for (const std::string& word : words) {
    PGA_TRY(const std::string line, toml_line(word));
    PGA_TRY(config::CollectorConfig set, config::load_text(instance::table_of(plugin.id) + "\n" + line, "--set"));
    config::Node& keys = set.plugins.at(plugin.id).keys;
    if (std::get<config::Node::Table>(keys.value).empty()) {
      return Error{PGA_E_CONFIG, "usage", "--set " + word + " is not of the plugin's own keys",
                   "Write it into the file that --config names; --every and --timeout take the place of interval and timeout.",
                   0};
    }
    config::overlay(plugin.keys, std::move(keys));
  }
  return {};
}

struct Wishes {
  Pace pace;
  std::optional<std::int64_t> timeout_ms;
};

Expected<std::int64_t> duration_of(const CommandLine& line, const char* option) {
  auto ms = schema::parse_duration_ms(line.text(option));
  if (!ms) return std::move(ms).error().while_doing(std::string("--") + option);
  if (*ms > 0) return ms;
  return Error{PGA_E_CONFIG, "usage", std::string("--") + option + " is no time", "Write it as 5s or 500ms.", 0};
}

Expected<Wishes> wishes_of(const CommandLine& line) {
  Wishes wishes;
  if (line.has("every")) {
    PGA_TRY(wishes.pace.every_ms, duration_of(line, "every"));
    wishes.pace.rounds = 0;
  }
  if (line.has("timeout")) {
    PGA_TRY(wishes.timeout_ms, duration_of(line, "timeout"));
  }
  if (line.has("count")) {
    const auto count = to_number<std::uint64_t>(line.text("count"));
    if (!count || *count == 0) {
      return Error{PGA_E_CONFIG, "usage", "--count '" + line.text("count") + "' is no number of runs", "Give at least 1.", 0};
    }
    wishes.pace.rounds = *count;
  }
  return wishes;
}

// name: of the plugin, or of one of its instances.
Expected<host::PluginSettings> settings_for(const Catalogue& catalogue, const std::string& name, const CommandLine& line,
                                            const Wishes& wishes, config::CollectorConfig& config) {
  PGA_CHECK(config::adopt_aliases(config, catalogue.known()));
  PGA_TRY(config::PluginConfig* const plugin, table_named(config, catalogue, name));
  PGA_CHECK(set_keys(line.texts("set"), *plugin));
  PGA_TRY(host::PluginSettings settings, catalogue.settings_of(*plugin, config));
  if (wishes.timeout_ms) settings.timeout_ms = *wishes.timeout_ms;
  settings.interval_ms = std::max(settings.interval_ms, settings.timeout_ms);
  return settings;
}

Expected<int> run_plugin(host::PluginSettings settings, const config::CollectorConfig& config, const Pace& pace, bool pretty) {
  PGA_TRY(DocumentOutput output, DocumentOutput::open("-"));
  PGA_TRY(const WakeSignals signals, WakeSignals::install());
  ShowingSink sink(config, output, pretty);
  host::SupervisorOptions options;
  options.worker_path = worker_path();
  host::Supervisor supervisor(options, sink, clock::system_clock());
  sink.watch(supervisor);
  std::vector<host::PluginSettings> one;
  one.push_back(std::move(settings));
  const std::size_t missing = run_in_foreground(supervisor, std::move(one), sink, pace, &signals);
  return missing + sink.failed() == 0 ? kOk : kFailed;
}

// A wrong configuration is exit code 2, a plugin that is refused 1.
int wrong(const Error& error) {
  print_error(error);
  return error.status == PGA_E_CONFIG ? kUsage : kFailed;
}

}  // namespace

int plugin_run_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandLine line("plugin run ID|FILE.so [options]",
                   "Runs one plugin as the collector would, in its worker and sandbox, and prints its documents as JSON, a line\n"
                   "each. What each run took, and each document that breaks the plugin's schema, is told on standard error.\n"
                   "The configuration is the plugin's table in the file that --config names, else its defaults. State goes from\n"
                   "run to run and is not kept. Ctrl-C ends it in order.\n\n"
                   "Exit code 0: all runs succeeded; 1: one failed, or the plugin's file is refused; 2: usage or configuration.");
  line.add()  //
      ("plugin", po::value<std::string>()->value_name("ID|FILE.so"),
       "the plugin, by id, alias, file, or as an instance (pg_stats@prod2); the word alone will do")                     //
      ("every", po::value<std::string>()->value_name("TIME"), "run it again and again, this far apart: 5s")              //
      ("count", po::value<std::string>()->value_name("N"), "this many runs; without it one, with --every until Ctrl-C")  //
      ("set", po::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
       "a key of its configuration, as TOML; may be given several times")                                              //
      ("timeout", po::value<std::string>()->value_name("TIME"), "of one run, in place of the plugin's or the file's")  //
      ("pretty", "indent the documents");
  line.positional("plugin", 1);
  if (const auto done = line.parse(arguments)) return *done;
  if (!line.has("plugin")) return line.usage_error("say which plugin: run FILE.so");
  const auto wishes = wishes_of(line);
  if (!wishes) return wrong(wishes.error());
  auto config = line.load_named_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Catalogue catalogue = catalogue_for(line.text("plugin"), config->plugin_dirs, worker_path());
  const auto info = chosen_plugin(catalogue, line.text("plugin"));
  if (!info) {
    print_error(info.error());
    return kFailed;
  }
  const std::string name = names_file(line.text("plugin")) ? info->id : line.text("plugin");
  auto settings = settings_for(catalogue, name, line, *wishes, *config);
  if (!settings) return wrong(settings.error());
  const auto code = run_plugin(std::move(settings).value(), *config, wishes->pace, line.has("pretty"));
  return code ? *code : wrong(code.error());
}

}  // namespace pganalytics::collector
