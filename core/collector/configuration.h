// The configuration in force and how it changes: the local one, and the server's laid over it while it proves itself.
//
// A document of the server goes through these steps, and can end at each of them:
//
//   offered      waits while another one is on trial, and for the pace: not every change of mind is followed
//   judged       refused if it is not newer than all before it, not valid by every plugin's schema, or not the server's to say
//   rehearsed    every running plugin that it touches is asked (a dry run); one "no" and nothing has changed
//   remembered   what the collector needs to go back is on disk, however long the disk takes
//   on trial     in force (trial.h)
//   good         kept with the two before it; what holds from the next start, server or not
//
// What was rejected or taken back is not tried again; a newer version is. Each verdict is told to the server (Report).
//
// Here: what is in force and why. Not here: files and signals (collector.h), what a document means (core/config). [main thread]
#pragma once

#include "core/collector/catalogue.h"
#include "core/collector/remote_record.h"
#include "core/collector/trial.h"
#include "core/config/collector_config.h"
#include "core/host/supervisor.h"
#include "core/host/token_bucket.h"
#include "core/spool/spool.h"
#include "core/transport/delivery.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

class Configuration {
 public:
  using Report = std::function<void(transport::ConfigReport)>;

  // Supervisor and spool outlive it.
  Configuration(host::Supervisor& supervisor, spool::Spool& spool, Report report);

  // The first configuration: with what was on trial when the collector last ended, unless it ended badly under it time and again;
  // else with the last good document that still fits. `collector_id`: "" without identity; with another one than before, all that
  // is remembered of the server's documents is forgotten. PGA_E_CONFIG: the local configuration is wrong.
  Outcome begin(config::CollectorConfig local, Catalogue catalogue, const std::string& collector_id);

  // Another local configuration, under the server's document that is in force. One that does not fit it any more goes, as it
  // would at a start: the operator has the last word. On error nothing has changed. PGA_E_CONFIG: the local configuration is
  // wrong.
  Outcome replace_local(config::CollectorConfig local, Catalogue catalogue, const std::string& collector_id);

  // From the server. The newest waits until it is its turn.
  void offer(RemoteDocument document) { offered_ = std::move(document); }
  // Whatever has come due. `delivery`: nullopt without [backend].
  void turn(const std::optional<transport::DeliveryStatus>& delivery);
  // How long turn() may be left alone if nothing happens.
  [[nodiscard]] std::int64_t wait_ms() const;

  void run_ended(const host::RunReport& report);
  void batch_sealed(const spool::BatchKey& key);
  [[nodiscard]] bool on_trial() const { return trial_.has_value(); }
  // A trial waits for a push and nothing is there to be pushed: the collector's own report would do.
  [[nodiscard]] bool needs_a_batch() const { return trial_ && trial_->needs_a_batch(); }
  // Tell the server once more: it may not have heard.
  void report_again() const;
  // The collector is being stopped: what is on trial is not to blame.
  void end();

  [[nodiscard]] const config::CollectorConfig& local() const { return local_; }
  [[nodiscard]] const config::CollectorConfig& in_force() const { return in_force_; }
  [[nodiscard]] const Catalogue& catalogue() const { return catalogue_; }
  [[nodiscard]] const std::vector<host::PluginHealth>& refused() const { return refused_; }
  [[nodiscard]] const std::optional<RemoteRecord::Newest>& newest() const { return record_.newest; }
  // What the server need not send again.
  [[nodiscard]] std::string known_etag() const { return record_.newest ? record_.newest->etag : ""; }

 private:
  // What a document comes to on this host.
  struct Prepared {
    config::CollectorConfig effective;
    Selection selection;
  };
  // Nothing changes. remote nullptr: the local configuration alone.
  static Expected<Prepared> prepare(const config::CollectorConfig& local, const Catalogue& catalogue,
                                    const RemoteDocument* remote);
  void put_in_force(Prepared prepared);
  // What local_ and record_ say, from the beginning. `patience`: with a disk that has to take a note of it first.
  void adopt(std::chrono::milliseconds patience);
  // What holds without the document on trial: the newest good one that fits, or the local configuration alone.
  [[nodiscard]] Prepared without_trial() const;

  // configuration_remote.cpp
  void judge(RemoteDocument document);
  [[nodiscard]] std::optional<std::string> why_stale(const VersionedDocument& candidate) const;
  [[nodiscard]] bool is_known(const VersionedDocument& candidate) const;
  void end_rehearsal();
  void remember_trial(VersionedDocument document, int crashes, std::vector<std::string> broken_before);
  void start_remembered();
  [[nodiscard]] Trial trial_of(const Prepared& prepared) const;
  void start_trial(Prepared prepared);
  void resume_trial(std::chrono::milliseconds patience);
  void watch_trial(const std::optional<transport::DeliveryStatus>& delivery);
  void take_back(const std::string& why);
  void fall_back_to_good();
  void tell_what_became_of_newest_good(const std::string& why_not);
  void reject(const VersionedDocument& document, const std::string& why);
  // It has come to this; kept and told.
  void conclude(const VersionedDocument& document, const char* state, const std::string& why);
  Outcome recall(const std::string& collector_id);
  Outcome keep();
  [[nodiscard]] const RemoteDocument* remote_in_force() const;

  // Its trial begins when the disk has it.
  struct Remembered {
    RemoteRecord::Probation probation;
    std::uint64_t mark = 0;  // of the spool
    bool told = false;       // that it waits
  };

  host::Supervisor& supervisor_;
  spool::Spool& spool_;
  const Report report_;

  config::CollectorConfig local_, in_force_;
  Catalogue catalogue_;
  std::vector<host::PluginSettings> settings_;  // of the enabled plugins, as in force
  std::vector<host::PluginHealth> refused_;     // enabled, and their file is not used

  RemoteRecord record_;
  std::optional<std::size_t> good_in_force_;     // index into record_.good; nullopt: none of them
  std::optional<RemoteDocument> offered_;        // the newest that was not looked at
  std::optional<VersionedDocument> rehearsing_;  // valid, plugins are being asked
  std::optional<Remembered> remembered_;         // plugins would take it; not in force
  std::optional<Trial> trial_;                   // of record_.probation
  host::TokenBucket pace_;                       // of documents that are looked at
};

}  // namespace pganalytics::collector
