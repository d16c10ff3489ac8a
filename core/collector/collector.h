// The collector while it runs: supervisor, spool and delivery brought together, and the configuration they work by
// (configuration.h).
//
// A run that ends is sealed in the spool and delivery is woken; without a receiver ([backend], [output.*]) its
// documents go to the output instead and only
// its state is kept. A new file (SIGHUP) is checked whole before any of it is applied; what is in force stays in force when it is
// wrong. [main thread; RemoteMailbox is the only door for another one]
#pragma once

#include "core/collector/configuration.h"
#include "core/collector/control_socket.h"
#include "core/collector/description.h"
#include "core/collector/document_output.h"
#include "core/collector/remote_mailbox.h"
#include "core/collector/self_report.h"
#include "core/collector/state_backup.h"
#include "core/collector/wake_signals.h"
#include "core/config/collector_config.h"
#include "core/exporters/scrape_endpoint.h"
#include "core/host/supervisor.h"
#include "core/spool/spool.h"
#include "core/transport/delivery.h"
#include "core/transport/identity.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

class Collector : private host::RunSink {
 public:
  using ConfigLoader = std::function<Expected<config::CollectorConfig>()>;

  // Everything that can be wrong before the first run is found here. PGA_E_CONFIG; error.code "spool.locked". signals: of the
  // collector that this one takes the place of.
  static Expected<std::unique_ptr<Collector>> open(ConfigLoader load, std::optional<WakeSignals> signals = std::nullopt);
  ~Collector() override;

  // Until SIGTERM or SIGINT; returns the exit code. Or until a reload finds the identity of another collector, as a new
  // registration leaves it: then there is a successor to be opened when this one is gone, and it goes on with these signals.
  int run();
  [[nodiscard]] bool has_successor() const { return has_successor_; }
  [[nodiscard]] WakeSignals take_signals() { return std::move(parts_.signals); }

 private:
  struct Parts {
    ConfigLoader load;
    std::string jitter_seed;
    std::optional<transport::Identity> identity;
    std::unique_ptr<spool::Spool> spool;
    DocumentOutput output;
    WakeSignals signals;
  };
  explicit Collector(Parts parts);

  Outcome run_finished(host::RunReport&& report) override;
  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin) override;
  Expected<std::optional<std::string>> secret(const std::string& plugin, const std::string& name) override;
  Expected<std::optional<std::string>> quarantine_of(const std::string& plugin) override;
  Outcome keep_quarantine(const std::string& plugin, const std::optional<std::string>& record) override;
  std::map<std::string, std::string> facts() override;

  Outcome begin(config::CollectorConfig local, Catalogue catalogue);
  // SIGHUP: read the files, describe the plugins beside everything else, then change what is in force.
  void begin_reload();
  void end_reload();
  Outcome reload_files(config::CollectorConfig local, Catalogue catalogue);
  void begin_scraping();
  Outcome make_way(config::CollectorConfig local, const Catalogue& catalogue, const std::optional<transport::Identity>& identity);
  [[nodiscard]] std::string collector_id() const { return parts_.identity ? parts_.identity->collector_id : ""; }
  [[nodiscard]] std::optional<transport::DeliveryStatus> delivery_status() const;

  // Where batches go: at most one of the two.
  struct Receiver {
    std::unique_ptr<transport::Backend> backend;
    std::unique_ptr<transport::Destination> output;
  };
  static Expected<Receiver> open_receiver(const config::CollectorConfig& config, const Catalogue& catalogue,
                                          const std::optional<transport::Identity>& identity);
  // Ends the delivery there is and begins the one for `receiver`, if it is one.
  void deliver_to(Receiver receiver);
  Outcome keep(spool::SealedRun&& run);
  bool wait();
  int shut_down();

  // collector_reporting.cpp
  void begin_reporting();
  void report_when_due();
  [[nodiscard]] std::int64_t next_report_in_ms() const;
  [[nodiscard]] std::vector<host::PluginHealth> plugins_health() const;
  Expected<SelfReport> self_report();
  Outcome report_self();
  // nullptr, and said aloud, when the system would not: collecting matters more.
  Expected<std::unique_ptr<ControlSocket>> open_control(const config::CollectorConfig& config) const;
  Expected<std::string> answer(const ControlRequest& request);
  Expected<std::string> answer_status();
  Expected<std::string> answer_release(const std::string& plugin);

  Parts parts_;
  RemoteMailbox mailbox_;
  transport::SchemaShelf schemas_;
  std::unique_ptr<host::Supervisor> supervisor_;
  std::unique_ptr<transport::Delivery> delivery_;
  std::unique_ptr<Configuration> configuration_;
  std::unique_ptr<StateBackup> backup_;
  std::unique_ptr<ControlSocket> control_;             // may be nullptr
  std::unique_ptr<exporters::ScrapeEndpoint> scrape_;  // nullptr: no [prometheus], or its port was not to be had at start
  config::CollectorConfig reloading_;                  // what describing_ is for
  std::unique_ptr<Description> describing_;            // nullptr: no reload is under way
  bool has_successor_ = false;
  std::int64_t started_unix_ns_ = 0;
  std::int64_t report_at_ms_ = 0, reported_ms_ = 0;       // monotonic
  std::map<std::string, std::string> reported_troubles_;  // that the newest report tells
};

}  // namespace pganalytics::collector
