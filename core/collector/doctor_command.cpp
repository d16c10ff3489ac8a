// pganalytics doctor: each enabled plugin, one run, and what comes of it in words: what works, what is missing, what cures it.
//
// The workers, sandbox, limits and checks of `run`; no document goes anywhere and no state is read or kept.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/diagnosis.h"
#include "core/collector/foreground_runs.h"
#include "core/collector/installation.h"

#include <cstdio>

namespace pganalytics::collector {
namespace {

class DiagnosingSink : public ForegroundSink {
 public:
  using ForegroundSink::ForegroundSink;

  Expected<std::map<std::string, std::string>> state_of(const std::string&) override {
    return std::map<std::string, std::string>();
  }
  [[nodiscard]] const std::vector<Diagnosis>& diagnoses() const { return diagnoses_; }

 private:
  void tell(const host::RunReport& report) override { diagnoses_.push_back(diagnose(report)); }
  Outcome keep(host::RunReport&&) override { return {}; }

  std::vector<Diagnosis> diagnoses_;
};

void show(const Diagnosis& diagnosis, bool as_json) {
  if (!as_json) {
    std::printf("\n%s", to_text(diagnosis).c_str());
    return;
  }
  JsonWriter json;
  to_json(json, diagnosis);
  print_json(json);
}

}  // namespace

int doctor_command(const Arguments& arguments) {
  CommandLine line(
      "doctor [options]",
      "Runs each enabled plugin once, as `run` would, and says part by part what works, what is missing and what\n"
      "cures it. Nothing is delivered or kept. Exit code 0: all is well; 1: something is missing or failed; 2: usage\n"
      "or configuration.");
  line.add()  //
      ("plugin", boost::program_options::value<std::string>()->value_name("ID"),
       "this plugin only, or this instance of one (pg_stats@prod2), enabled or not")  //
      ("json", "print one JSON object for each plugin, a line each");
  if (const auto done = line.parse(arguments)) return *done;
  auto config = line.load_config();
  if (!config) {
    print_error(config.error());
    return kUsage;
  }
  const Catalogue catalogue = Catalogue::of(config->plugin_dirs, worker_path());
  auto selection = select_wanted(*config, catalogue, line.text("plugin"));
  if (!selection) {
    print_error(selection.error());
    return kUsage;
  }
  if (!line.has("json")) std::printf("%s is right\n", line.config_file().c_str());
  for (const Error& refused : selection->refused) print_error(refused);
  DiagnosingSink sink(*config, "");
  const std::size_t missing = run_in_foreground(std::move(selection->settings), sink);
  bool well = missing == 0 && selection->refused.empty();
  for (const Diagnosis& diagnosis : sink.diagnoses()) {
    show(diagnosis, line.has("json"));
    well = well && diagnosis.is_well();
  }
  return well ? kOk : kFailed;
}

}  // namespace pganalytics::collector
