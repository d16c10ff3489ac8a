#include "core/collector/collector.h"

#include "core/clock/clock.h"
#include "core/collector/exit_code.h"
#include "core/collector/export_options.h"
#include "core/collector/installation.h"
#include "core/collector/plugin_facts.h"
#include "core/collector/spool_keys.h"
#include "core/collector/spool_options.h"
#include "core/log/log.h"

#include <algorithm>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kStopMs = 6'000;                              // for the workers: cancel, SIGABRT, SIGKILL
constexpr std::int64_t kDrainMs = 5'000;                             // for the last batches
constexpr std::chrono::milliseconds kSpoolStop(kStopMs + kDrainMs);  // what hangs beside all that is ended by WakeSignals

// With [backend] there must be an identity; without one an old identity still names the collector.
Expected<std::optional<transport::Identity>> identity_of(const config::CollectorConfig& config) {
  auto identity = transport::Identity::load(config.state_dir);
  if (identity) return std::optional(std::move(identity).value());
  if (!config.backend && identity.error().status == PGA_E_NOTFOUND) return std::optional<transport::Identity>();
  return std::move(identity).error();
}

// nullptr: the configuration has no [backend].
Expected<std::unique_ptr<transport::Backend>> open_backend(const config::CollectorConfig& config,
                                                           const std::optional<transport::Identity>& identity) {
  if (!config.backend || !identity) return std::unique_ptr<transport::Backend>();
  transport::BackendOptions options;
  options.url = config.backend->url;
  options.ca_file = config.backend->ca_file;
  options.proxy = config.backend->proxy;
  options.timeout_ms = config.push_timeout_ms;
  options.user_agent = std::string("pganalytics/") + PGANALYTICS_VERSION;
  return transport::Backend::open(*identity, options);
}

bool same_delivery(const config::CollectorConfig& a, const config::CollectorConfig& b) {
  if (a.backend.has_value() != b.backend.has_value() || a.pushed_output.has_value() != b.pushed_output.has_value()) return false;
  // What an exporter says hangs on the plugins that are installed and on secrets: it is made anew each time.
  if (a.pushed_output) return false;
  if (!a.backend) return true;
  return a.backend->url == b.backend->url && a.backend->ca_file == b.backend->ca_file && a.backend->proxy == b.backend->proxy &&
         a.push_timeout_ms == b.push_timeout_ms && a.config_pull_interval_ms == b.config_pull_interval_ms;
}

// The same address, or none.
bool same_scrape(const config::CollectorConfig& a, const config::CollectorConfig& b) {
  if (a.prometheus.has_value() != b.prometheus.has_value()) return false;
  return !a.prometheus || a.prometheus->listen == b.prometheus->listen;
}

}  // namespace

Expected<std::unique_ptr<Collector>> Collector::open(ConfigLoader load, std::optional<WakeSignals> signals) {
  if (!signals) {  // first: describing what is installed may take a while, and a stop then is as orderly as later
    PGA_TRY(WakeSignals installed, WakeSignals::install());
    signals.emplace(std::move(installed));
  }
  PGA_TRY(config::CollectorConfig local, load());
  PGA_TRY(auto identity, identity_of(local));
  Catalogue catalogue = Catalogue::of(local.plugin_dirs, worker_path());
  PGA_CHECK(config::adopt_aliases(local, catalogue.known()));
  PGA_CHECK(select_enabled(local, catalogue));
  PGA_TRY(auto spool, spool::Spool::open(local.state_dir, spool_options(local, identity ? identity->collector_id : "")));
  PGA_TRY(DocumentOutput output, DocumentOutput::open(local.delivers() ? "-" : local.output));
  std::unique_ptr<Collector> collector(
      new Collector(Parts{std::move(load), identity ? identity->collector_id : local.name, std::move(identity), std::move(spool),
                          std::move(output), std::move(*signals)}));
  PGA_TRY(collector->control_, collector->open_control(local));
  PGA_CHECK(collector->begin(std::move(local), std::move(catalogue)));
  return collector;
}

Collector::Collector(Parts parts) : parts_(std::move(parts)), mailbox_(parts_.signals) {
  host::SupervisorOptions options;
  options.worker_path = worker_path();
  options.jitter_seed = parts_.jitter_seed;
  supervisor_ = std::make_unique<host::Supervisor>(options, static_cast<host::RunSink&>(*this), clock::system_clock());
  configuration_ = std::make_unique<Configuration>(*supervisor_, *parts_.spool, [this](transport::ConfigReport report) {
    if (delivery_) delivery_->report_config(std::move(report));
  });
}

Collector::~Collector() = default;

Outcome Collector::begin(config::CollectorConfig local, Catalogue catalogue) {
  backup_ = std::make_unique<StateBackup>(local.state_dir);
  PGA_CHECK(configuration_->begin(std::move(local), std::move(catalogue), collector_id()));
  PGA_TRY(Receiver receiver, open_receiver(configuration_->local(), configuration_->catalogue(), parts_.identity));
  deliver_to(std::move(receiver));
  begin_scraping();
  return {};
}

// Said aloud when the port is not to be had: collecting matters more.
void Collector::begin_scraping() {
  auto scrape = open_scrape_endpoint(configuration_->local(), configuration_->catalogue());
  if (!scrape) return log::write(log::Level::kError, "Prometheus cannot scrape this collector", scrape.error());
  scrape_ = std::move(scrape).value();
}

Expected<Collector::Receiver> Collector::open_receiver(const config::CollectorConfig& config, const Catalogue& catalogue,
                                                       const std::optional<transport::Identity>& identity) {
  Receiver receiver;
  PGA_TRY(receiver.backend, open_backend(config, identity));
  PGA_TRY(receiver.output, open_pushed_output(config, catalogue));
  return receiver;
}

void Collector::deliver_to(Receiver receiver) {
  delivery_.reset();  // the old thread ends before the new one takes batches
  transport::DeliveryOptions options;
  if (receiver.backend) {
    options.config_pull_interval_ms = configuration_->local().config_pull_interval_ms;
    options.known_etag = configuration_->known_etag();
    options.schemas = &schemas_;
    delivery_ = std::make_unique<transport::Delivery>(std::move(receiver.backend), *parts_.spool, mailbox_, options);
  } else if (receiver.output) {
    options.push.in_order = true;
    delivery_ = std::make_unique<transport::Delivery>(std::move(receiver.output), *parts_.spool, options);
  } else {
    return;
  }
  delivery_->start();
  configuration_->report_again();
}

std::optional<transport::DeliveryStatus> Collector::delivery_status() const {
  return delivery_ ? std::optional(delivery_->status()) : std::nullopt;
}

int Collector::run() {
  const config::CollectorConfig& local = configuration_->local();
  log::info("pganalytics " PGANALYTICS_VERSION " collects as '" + local.name + "'" +
            (local.backend         ? " for " + local.backend->url
             : local.pushed_output ? " for " + local.pushed_output->url
                                   : " to " + local.output));
  begin_reporting();
  while (!WakeSignals::stop_wanted() && !has_successor_) {
    if (!wait()) {
      log::error("unable to wait for plugins");
      shut_down();
      return kFailed;
    }
    parts_.signals.clear();  // before the flags are read, so that none is missed
    if (!describing_ && WakeSignals::take_reload()) begin_reload();
    if (describing_ && describing_->ready()) end_reload();
    if (auto document = mailbox_.take()) configuration_->offer(std::move(*document));
    configuration_->turn(delivery_status());
    backup_->turn(configuration_->in_force().backup_interval_ms, configuration_->local().spool.keep_free_bytes);
    report_when_due();
    if (control_) control_->turn([this](const ControlRequest& request) { return answer(request); });
  }
  return shut_down();
}

// For the next event of a plugin, a signal, another thread, somebody who asks, or the next report.
bool Collector::wait() {
  const std::int64_t longest_ms =
      std::min({next_report_in_ms(), configuration_->wait_ms(), backup_->wait_ms(configuration_->in_force().backup_interval_ms)});
  if (!control_) return supervisor_->turn(longest_ms, parts_.signals.fd());
  return supervisor_->turn(control_->wait_ms(longest_ms), control_->fd());
}

int Collector::shut_down() {
  log::info(has_successor_ ? "making way for the new identity" : "stopping");
  if (!has_successor_) parts_.spool->stop_waiting_after(std::chrono::steady_clock::now() + kSpoolStop);
  backup_.reset();
  control_.reset();  // who asks from now on is told that nobody is here
  scrape_.reset();
  supervisor_->stop(kStopMs);
  configuration_->end();
  if (delivery_) delivery_->stop(kDrainMs);
  log::info("stopped");
  return kOk;
}

// Runs -----------------------------------------------------------------------------------------------------------------------

Outcome Collector::run_finished(host::RunReport&& report) {
  if (report.failed) {  // nothing to keep; the supervisor counted and logged it
    configuration_->run_ended(report);
    return {};
  }
  spool::SealedRun run;
  run.plugin = report.plugin;
  const Catalogue::Entry* const entry = configuration_->catalogue().find(report.plugin);
  if (entry != nullptr && entry->info) {
    run.type = entry->info->id;
    run.schema_sha256 = schemas_.put(entry->info->id, entry->info->output_schema);
  }
  run.documents = std::move(report.documents);
  run.state = std::move(report.state);
  run.scheduled_unix_ns = report.scheduled_unix_ns;
  PGA_CHECK(keep(std::move(run)));
  configuration_->run_ended(report);
  return {};
}

Outcome Collector::keep(spool::SealedRun&& run) {
  if (scrape_) scrape_->take(run.plugin, run.documents);
  if (!configuration_->local().delivers()) {
    PGA_CHECK(parts_.output.write(run.documents));
    run.documents.clear();
  }
  if (run.documents.empty() && run.state.empty()) return {};
  const bool to_send = !run.documents.empty();
  PGA_TRY(const std::uint64_t seq, parts_.spool->seal(std::move(run)));
  if (to_send && delivery_) delivery_->wake();  // also when the disk takes its time: what delivery asks comes after it
  if (seq == 0) return {};
  if (configuration_->on_trial()) {
    PGA_TRY(const spool::SpoolStatus status, parts_.spool->status());
    configuration_->batch_sealed({status.epoch, seq, ""});
  }
  return {};
}

Expected<std::map<std::string, std::string>> Collector::state_of(const std::string& plugin) {
  return parts_.spool->state_of(plugin);
}

Expected<std::optional<std::string>> Collector::secret(const std::string&, const std::string& name) {
  return read_secret(configuration_->in_force(), name);
}

Expected<std::optional<std::string>> Collector::quarantine_of(const std::string& plugin) {
  return parts_.spool->value(quarantine_key(plugin));
}

Outcome Collector::keep_quarantine(const std::string& plugin, const std::optional<std::string>& record) {
  return record ? parts_.spool->set_value(quarantine_key(plugin), *record) : parts_.spool->remove_value(quarantine_key(plugin));
}

std::map<std::string, std::string> Collector::facts() { return facts_of(configuration_->in_force(), collector_id()); }

// Configuration --------------------------------------------------------------------------------------------------------------

void Collector::begin_reload() {
  auto local = parts_.load();
  if (!local) return log::write(log::Level::kError, "the configuration stays as it was", local.error());
  reloading_ = std::move(local).value();
  describing_ = std::make_unique<Description>(host::find_plugins(reloading_.plugin_dirs), worker_path(),
                                              configuration_->catalogue(), [this] { parts_.signals.wake(); });
}

void Collector::end_reload() {
  Catalogue catalogue = describing_->take();
  describing_.reset();
  parts_.signals.wake();  // a SIGHUP that came meanwhile is looked at in the next turn
  if (const Outcome reloaded = reload_files(std::move(reloading_), std::move(catalogue)); !reloaded) {
    log::write(log::Level::kError, "the configuration stays as it was", reloaded.error());
  } else {
    log::info("configuration read again");
  }
}

Outcome Collector::reload_files(config::CollectorConfig local, Catalogue catalogue) {
  const config::CollectorConfig& before = configuration_->local();
  if (local.state_dir != before.state_dir) {
    return Error{PGA_E_CONFIG, "config.restart", "collector.state_dir changed while the collector runs",
                 "Restart the collector for it.", 0};
  }
  PGA_TRY(auto identity, identity_of(local));
  if ((identity ? identity->collector_id : "") != collector_id()) return make_way(std::move(local), catalogue, identity);
  PGA_TRY(DocumentOutput output, DocumentOutput::open(local.delivers() ? "-" : local.output));
  PGA_CHECK(config::adopt_aliases(local, catalogue.known()));
  Receiver receiver;
  std::unique_ptr<ControlSocket> control;
  const bool other_control = !control_ || local.control_socket != control_->path();
  if (other_control) {
    PGA_TRY(control, open_control(local));
  }
  std::unique_ptr<exporters::ScrapeEndpoint> scrape;
  const bool other_scrape = !same_scrape(local, before) || (local.prometheus && !scrape_);
  if (other_scrape) {
    PGA_TRY(scrape, open_scrape_endpoint(local, catalogue));
  }
  const bool other_files = identity && parts_.identity && identity->stamp != parts_.identity->stamp;
  const bool other_delivery = other_files || !same_delivery(local, before);
  if (other_delivery) {
    PGA_TRY(receiver, open_receiver(local, catalogue, identity));
  }
  PGA_CHECK(
      configuration_->replace_local(std::move(local), std::move(catalogue), identity ? identity->collector_id : std::string()));
  parts_.identity = std::move(identity);
  std::swap(parts_.output, output);
  if (other_control) control_ = std::move(control);
  if (other_scrape) scrape_ = std::move(scrape);
  if (scrape_) scrape_->use(exposition_options(configuration_->local(), configuration_->catalogue()));
  parts_.spool->set_caps(caps_of(configuration_->local().spool));
  if (other_delivery) deliver_to(std::move(receiver));
  return {};
}

// Spool, plugins, configuration: everything bears the collector's id, so everything begins anew, as after a restart. Not before
// the new identity and files are known to do: until then the old one goes on.
Outcome Collector::make_way(config::CollectorConfig local, const Catalogue& catalogue,
                            const std::optional<transport::Identity>& identity) {
  PGA_CHECK(config::adopt_aliases(local, catalogue.known()));
  PGA_CHECK(select_enabled(local, catalogue));
  PGA_TRY(const DocumentOutput output, DocumentOutput::open(local.delivers() ? "-" : local.output));
  PGA_TRY(const Receiver receiver, open_receiver(local, catalogue, identity));
  log::info("the identity in " + local.state_dir + "/identity is now that of collector " +
            (identity ? identity->collector_id : "(none)"));
  has_successor_ = true;
  return {};
}

}  // namespace pganalytics::collector
