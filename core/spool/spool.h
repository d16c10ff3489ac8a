// The durable spool: one SQLite file (WAL, synchronous=FULL) that holds sealed batches, plugins' state, the losses and the last
// good remote configuration. A run's documents, its staged state and its sequence number are one transaction.
//
// Invariants:
//  1. produced = acknowledged + lost + waiting, in documents, for every epoch;
//  2. sequence numbers have no holes: each is waiting, acknowledged, or inside a row of the loss ledger;
//  3. the batch that delivery is trying (next() gave it out) is never dropped by a cap: its fate is not known yet;
//  4. the newest batch is never dropped for size or space, so that live data flow even when the disk is tight.
// A spool belongs to one collector id. Opened for another one (registered, or registered anew) it begins a new epoch and seals
// what waits again for the new id, documents byte for byte: the old id's credentials are gone, its data are not.
//
// Threads: one Spool object may be used from any thread (a mutex inside); seal() on the main thread, Outbox on the delivery
// thread. Processes: one Spool at a time (a lock on <dir>/spool.lock); others read with SpoolView (spool_view.h).
#pragma once

#include "core/clock/clock.h"
#include "core/spool/batch.h"
#include "core/spool/outbox.h"

#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

struct SpoolCaps {
  std::int64_t max_bytes = 512LL << 20;
  std::int64_t max_age_ms = 48LL * 3600 * 1000;
  std::int64_t keep_free_bytes = 1LL << 30;
};

struct SpoolOptions : SpoolCaps {
  compression::Encoding encoding = compression::Encoding::kZstd;
  // What the envelope says beside epoch, seq and metrics.
  std::string collector_id, hostname, version;
  const clock::Clock* clock = &clock::system_clock();
};

// What one run leaves behind.
struct SealedRun {
  std::string plugin;
  std::vector<std::string> documents;  // JSON objects
  std::map<std::string, std::optional<std::string>> state;
  std::int64_t scheduled_unix_ns = 0;
  std::vector<std::int64_t> reported_losses;  // Loss::id of those that the documents tell
};

struct Loss {
  std::int64_t id = 0;        // of this spool
  std::string reason, epoch;  // "size" "age" "space" "corrupt", or what set_aside() was given: "poison" "too_large"
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t documents = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0;
};

struct SpoolStatus {
  std::string epoch;
  std::uint64_t last_seq = 0, produced_documents = 0, acknowledged_documents = 0, lost_documents = 0;
  std::uint64_t waiting_batches = 0, waiting_documents = 0, waiting_bytes = 0;
  std::int64_t oldest_unix_ns = 0;
};

class Spool : public Outbox {
 public:
  // Opens or creates <dir>/spool.db. PGA_E_DENIED/PGA_E_FAIL with a HINT when it cannot be used;
  // error.code "spool.locked" when another collector holds it.
  static Expected<std::unique_ptr<Spool>> open(const std::string& dir, const SpoolOptions& options);
  ~Spool() override;

  // One transaction. Returns the batch's seq, 0 if the run had no documents (its state is stored all the same).
  Expected<std::uint64_t> seal(SealedRun&& run);

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);

  Expected<std::optional<Batch>> next(Lane lane) override;
  Outcome hold(const BatchKey& key) override;
  void release(const BatchKey& key) override;
  Outcome acknowledge(const BatchKey& key) override;
  Outcome set_aside(const BatchKey& key, const std::string& reason) override;
  Expected<bool> split(const BatchKey& key) override;
  Outcome rekey(const BatchKey& key) override;

  // Losses that no waiting or acknowledged batch reports, oldest first, at most a thousand. Name them in
  // SealedRun::reported_losses of the run whose document tells them: they are forgotten when that batch is acknowledged and come
  // back if it is lost itself.
  Expected<std::vector<Loss>> losses();

  // For batches sealed from now on.
  void set_encoding(compression::Encoding encoding);
  // From the next seal on.
  void set_caps(const SpoolCaps& caps);

  // Small durable values of the collector itself ("config.last_good", "report.last").
  Expected<std::optional<std::string>> value(const std::string& key);
  Outcome set_value(const std::string& key, const std::string& value);
  Outcome remove_value(const std::string& key);  // one that is not there is removed already

  Expected<SpoolStatus> status();

 private:
  class Impl;
  explicit Spool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::spool
