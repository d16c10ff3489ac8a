// pganalytics once: each enabled plugin, one run, documents on standard output.
//
// The workers, limits and checks of `run`, without a schedule. State is read from the spool, beside a running collector too, and
// kept only with --commit.
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/document_output.h"
#include "core/collector/foreground_runs.h"
#include "core/collector/installation.h"
#include "core/collector/spool_options.h"
#include "core/log/log.h"
#include "core/spool/spool_view.h"

#include <algorithm>
#include <csignal>

namespace pganalytics::collector {
namespace {

// Where plugins' state comes from and, with --commit, goes to.
class StateStore {
 public:
  static Expected<StateStore> open(const config::CollectorConfig& config, bool commit) {
    StateStore store;
    if (auto owner = spool_owner(config.state_dir)) store.collector_id_ = std::move(owner).value();
    if (commit) {
      PGA_TRY(store.spool_, open_spool_to_change(config));
      return store;
    }
    auto view = spool::SpoolView::open(config.state_dir);
    if (view) {
      store.view_.emplace(std::move(view).value());
    } else if (view.error().status != PGA_E_NOTFOUND) {
      log::write(log::Level::kWarn, "plugins begin without their state", view.error());
    }
    return store;
  }

  Expected<std::map<std::string, std::string>> read(const std::string& plugin) {
    if (spool_) return spool_->state_of(plugin);
    if (view_) return view_->state_of(plugin);
    return std::map<std::string, std::string>();
  }

  Outcome keep(host::RunReport&& report) {
    if (!spool_ || report.state.empty()) return {};
    spool::SealedRun run;
    run.plugin = report.plugin;
    run.state = std::move(report.state);
    PGA_CHECK(spool_->seal(std::move(run)));
    return {};
  }

  [[nodiscard]] const std::string& collector_id() const { return collector_id_; }

 private:
  std::string collector_id_;
  std::unique_ptr<spool::Spool> spool_;
  std::optional<spool::SpoolView> view_;
};

class OnceSink : public ForegroundSink {
 public:
  OnceSink(const config::CollectorConfig& config, StateStore& store, DocumentOutput& output, bool pretty)
      : ForegroundSink(config, store.collector_id()), store_(store), output_(output), pretty_(pretty) {}

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin) override { return store_.read(plugin); }

 private:
  Outcome keep(host::RunReport&& report) override {
    if (pretty_) std::transform(report.documents.begin(), report.documents.end(), report.documents.begin(), indented);
    PGA_CHECK(output_.write(report.documents));
    return store_.keep(std::move(report));
  }

  StateStore& store_;
  DocumentOutput& output_;
  const bool pretty_;
};

}  // namespace

int once_command(const Arguments& arguments) {
  CommandLine line(
      "once [options]",
      "Runs each enabled plugin once and prints its documents as JSON, a line each. Exit code 0: all runs succeeded,\n"
      "1: one failed, 2: usage or configuration.");
  line.add()  //
      ("plugin", boost::program_options::value<std::string>()->value_name("ID"),
       "this plugin only, or this instance of one (pg_stats@prod2), enabled or not")  //
      ("pretty", "indent the documents")                                              //
      ("commit", "keep the state that the plugins leave, so that the next run goes on from there");
  if (const auto done = line.parse(arguments)) return *done;
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a failed run

  const auto wrong = [](const Error& error) {
    print_error(error);
    return error.code == "spool.locked" ? kLocked : error.code.rfind("spool.", 0) == 0 ? kFailed : kUsage;
  };
  auto config = line.load_config();
  if (!config) return wrong(config.error());
  const Catalogue catalogue = Catalogue::of(config->plugin_dirs, worker_path());
  auto selection = select_wanted(*config, catalogue, line.text("plugin"));
  if (!selection) return wrong(selection.error());
  auto store = StateStore::open(*config, line.has("commit"));
  if (!store) return wrong(store.error());
  auto output = DocumentOutput::open("-");
  if (!output) return wrong(output.error());

  for (const Error& refused : selection->refused) print_error(refused);
  OnceSink sink(*config, *store, *output, line.has("pretty"));
  const std::size_t missing = run_in_foreground(std::move(selection->settings), sink);
  return missing + sink.failed() + selection->refused.size() == 0 ? kOk : kFailed;
}

}  // namespace pganalytics::collector
