// The durable spool: one SQLite file (WAL, synchronous=FULL) that holds sealed batches, plugins' state, the losses and the last
// good remote configuration. A run's documents, its staged state and its sequence number are one transaction.
//
// Invariant: produced = acknowledged + lost + waiting, in documents, for every epoch; sequence numbers have no holes.
// Threads: one Spool object may be used from any thread (a mutex inside); seal() on the main thread, Outbox on the delivery
// thread.
#pragma once

#include "core/spool/batch.h"
#include "core/spool/outbox.h"

#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

struct SpoolOptions {
  std::int64_t max_bytes = 512LL << 20;
  std::int64_t max_age_ms = 48LL * 3600 * 1000;
  std::int64_t keep_free_bytes = 1LL << 30;
  compression::Encoding encoding = compression::Encoding::kZstd;
  // What the envelope says beside epoch, seq and metrics.
  std::string collector_id, hostname, version;
};

// What one run leaves behind.
struct SealedRun {
  std::string plugin;
  std::vector<std::string> documents;  // JSON objects
  std::map<std::string, std::optional<std::string>> state;
  std::int64_t scheduled_unix_ns = 0;
};

struct Loss {
  std::string reason, epoch;  // "size" "age" "space" "poison" "too_large"
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
  static Expected<std::unique_ptr<Spool>> open(const std::string& dir, SpoolOptions options);
  ~Spool() override;

  // One transaction. Returns the batch's seq, 0 if the run had no documents (its state is stored all the same).
  Expected<std::uint64_t> seal(SealedRun&& run);

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);

  Expected<std::optional<Batch>> next() override;
  Outcome acknowledge(std::uint64_t seq) override;
  Outcome set_aside(std::uint64_t seq, const std::string& reason) override;

  // Losses not yet reported; mark_reported() once they were sealed inside a "collector" document.
  Expected<std::vector<Loss>> losses();

  // Small durable values of the collector itself ("config.last_good", "config.etag").
  Expected<std::optional<std::string>> value(const std::string& key);
  Outcome set_value(const std::string& key, const std::string& value);

  Expected<SpoolStatus> status();

 private:
  class Impl;
  explicit Spool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::spool
