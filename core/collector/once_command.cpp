// pganalytics once: each enabled plugin, one run, documents on standard output.
//
// The workers, limits and checks of `run`, without a schedule. State is read from the spool, beside a running collector too, and
// kept only with --commit.
#include "core/clock/clock.h"
#include "core/collector/catalogue.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/document_output.h"
#include "core/collector/installation.h"
#include "core/collector/plugin_facts.h"
#include "core/config/plugin_names.h"
#include "core/log/log.h"
#include "core/schema/json_text.h"
#include "core/spool/spool.h"
#include "core/spool/spool_view.h"
#include "core/transport/identity.h"

#include <rapidjson/prettywriter.h>

#include <algorithm>
#include <csignal>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kStopMs = 2'000;
// A run's own timeout comes on top: loading, configuring, and the three steps of force of one that hangs.
constexpr std::int64_t kAroundARunMs = 50'000;

std::string pretty(const std::string& document) {
  auto parsed = schema::parse_json(document);
  if (!parsed) return document;  // the supervisor has checked it: does not happen
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  parsed->Accept(writer);
  return buffer.GetString();
}

// Where plugins' state comes from and, with --commit, goes to.
class StateStore {
 public:
  static Expected<StateStore> open(const config::CollectorConfig& config, bool commit) {
    StateStore store;
    auto identity = transport::Identity::load(config.state_dir);
    if (identity) store.collector_id_ = identity->collector_id;
    if (commit) {
      spool::SpoolOptions options;
      options.collector_id = store.collector_id_;
      options.hostname = host_name();
      options.version = PGANALYTICS_VERSION;
      PGA_TRY(store.spool_, spool::Spool::open(config.state_dir, options));
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

class OnceSink : public host::RunSink {
 public:
  OnceSink(const config::CollectorConfig& config, StateStore& store, DocumentOutput& output, bool pretty_print)
      : config_(config), store_(store), output_(output), pretty_(pretty_print) {}

  Outcome run_finished(host::RunReport&& report) override {
    ++ended_;
    if (report.failed) {
      ++failed_;
      return {};  // the supervisor says why
    }
    if (pretty_) std::transform(report.documents.begin(), report.documents.end(), report.documents.begin(), pretty);
    Outcome kept = output_.write(report.documents);
    if (kept) kept = store_.keep(std::move(report));
    if (!kept) ++failed_;
    return kept;
  }
  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin) override { return store_.read(plugin); }
  Expected<std::optional<std::string>> secret(const std::string&, const std::string& name) override {
    return read_secret(config_, name);
  }
  std::map<std::string, std::string> facts() override { return facts_of(config_, store_.collector_id()); }

  [[nodiscard]] std::size_t ended() const { return ended_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }

 private:
  const config::CollectorConfig& config_;
  StateStore& store_;
  DocumentOutput& output_;
  const bool pretty_;
  std::size_t ended_ = 0, failed_ = 0;
};

// The plugin `name`, configured or by its defaults; with no name all that are enabled.
Expected<Selection> select(config::CollectorConfig& config, const Catalogue& catalogue, const std::string& name) {
  PGA_CHECK(config::adopt_aliases(config, catalogue.known()));
  if (name.empty()) {
    PGA_TRY(Selection selection, select_enabled(config, catalogue));
    if (selection.settings.empty() && selection.refused.empty()) {
      return Error{PGA_E_CONFIG, "once.nothing", "no plugin is enabled",
                   "Enable one in the configuration, or name one with --plugin ID.", 0};
    }
    return selection;
  }
  const Catalogue::Entry* const entry = catalogue.find(name);
  const std::string id = entry != nullptr && entry->info ? entry->info->id : config::canonical_plugin_name(name);
  config::PluginConfig& plugin = config.plugins[id];
  plugin.id = id;
  auto settings = catalogue.settings_of(plugin, config);
  Selection selection;
  if (settings) {
    selection.settings.push_back(std::move(settings).value());
  } else if (settings.error().status == PGA_E_CONFIG) {
    return std::move(settings).error();
  } else {
    selection.refused.push_back(std::move(settings).error());
  }
  return selection;
}

std::size_t run_each(std::vector<host::PluginSettings> settings, OnceSink& sink) {
  host::SupervisorOptions options;
  options.worker_path = worker_path();
  host::Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.set_scheduling(false);
  std::vector<std::string> ids;
  std::int64_t timeout_ms = 0;
  for (const host::PluginSettings& plugin : settings) {
    ids.push_back(plugin.info.id);
    timeout_ms = std::max(timeout_ms, plugin.timeout_ms);
  }
  supervisor.apply(std::move(settings));
  std::size_t refused = 0;
  for (const std::string& id : ids) {
    const Outcome asked = supervisor.request_run(id, PGA_REASON_ONDEMAND);
    if (asked) continue;
    print_error(asked.error());
    ++refused;
  }
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + (timeout_ms + kAroundARunMs) * 1'000'000;
  while (sink.ended() + refused < ids.size()) {
    const std::int64_t left_ms = (deadline_ns - clock::now_monotonic_ns()) / 1'000'000;
    if (left_ms <= 0 || !supervisor.turn(left_ms)) break;
  }
  supervisor.stop(kStopMs);
  return ids.size() - std::min(ids.size(), sink.ended());
}

}  // namespace

int once_command(const Arguments& arguments) {
  CommandLine line(
      "once [options]",
      "Runs each enabled plugin once and prints its documents as JSON, a line each. Exit code 0: all runs succeeded,\n"
      "1: one failed, 2: usage or configuration.");
  line.add()                                                                                                          //
      ("plugin", boost::program_options::value<std::string>()->value_name("ID"), "this plugin only, enabled or not")  //
      ("pretty", "indent the documents")                                                                              //
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
  auto selection = select(*config, catalogue, line.text("plugin"));
  if (!selection) return wrong(selection.error());
  auto store = StateStore::open(*config, line.has("commit"));
  if (!store) return wrong(store.error());
  auto output = DocumentOutput::open("-");
  if (!output) return wrong(output.error());

  for (const Error& refused : selection->refused) print_error(refused);
  OnceSink sink(*config, *store, *output, line.has("pretty"));
  const std::size_t missing = selection->settings.empty() ? 0 : run_each(std::move(selection->settings), sink);
  return missing + sink.failed() + selection->refused.size() == 0 ? kOk : kFailed;
}

}  // namespace pganalytics::collector
