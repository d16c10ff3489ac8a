// The durable spool: one SQLite file (WAL, synchronous=FULL) that holds sealed batches, plugins' state, the losses and the last
// good remote configuration. A run's documents, its staged state and its number are one transaction.
//
// Invariants:
//  1. produced = acknowledged + lost + waiting, in documents, over all epochs;
//  2. numbers of an epoch have no holes: each is waiting, acknowledged, or inside a row of the loss ledger;
//  3. a batch that was handed out (next()) and has not ended is never dropped by a cap, after a restart or a power cut neither:
//  the
//     server may have it. The mark that says so is on the disk before the batch is handed out, and in the witness. In memory mode
//     it cannot be: what is handed out from the file then has its mark when the disk is back; what a failed transaction was
//     removing is not handed out before a new handle has told whether it is gone;
//  4. the newest batch is never dropped for size or space, so that live data flow even when the disk is tight.
// A new epoch begins when the collector id is another one (what waits is sealed again for it), when the file is found somewhere
// else than it was (a copy, a clone, a backup put back) and when the server knows a key with other content (rekey): in both, what
// waits keeps its keys.
//
// The disk may be slow, full or gone; nobody who seals waits for it longer than 100 ms, and nothing ends because of it. What a
// SIGKILL costs:
//  - a run that is committed: nothing, ever;
//  - a run that is pending (sealed, and the disk has not answered within 100 ms): the run. Its state goes with it, so a plugin
//  with
//    a cursor reads the same again. It was in no figure and on no wire;
//  - a run in memory mode (storage.h): its documents, if they are not delivered yet. They are in no durable figure: there is no
//    place to write one. They had numbers of an epoch that only this process knew, so none is ever used twice. Cursors fall back
//    to what the disk has: what a plugin with a cursor (logs) delivered from memory is read again and sent under other numbers.
//    For that span "once" becomes "at least once";
//  - SIGTERM in memory mode: what the server takes while stopping lasts is delivered, then the disk is tried once more; what is
//    left is told in the log.
//
// Threads: seal() to set_value() never wait longer than the pace says and are for the main thread; Outbox is for the delivery
// thread and answers within 5 s, PGA_E_TRANSIENT when the disk does not; a thread of the spool's own (storage.h) is the only one
// that touches the disk. Processes: one Spool at a time (a lock on <dir>/spool.lock); others read with SpoolView (spool_view.h).
#pragma once

#include "core/clock/clock.h"
#include "core/spool/batch.h"
#include "core/spool/outbox.h"

#include <chrono>
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
  std::optional<std::int64_t> keep_free_bytes;  // of the disk; nullopt: the floor of free_space.h
};

// How long, how often: the promise of the spool; tests are less patient.
struct SpoolPace {
  std::int64_t seal_wait_ms = 100;                 // that a call of the main thread waits for the disk
  int failures = 3;                                // of the disk within ...
  std::int64_t window_ms = 60'000;                 // ... before the spool goes on in memory
  std::int64_t pause_ms = 250, retry_ms = 30'000;  // after a failure; in memory
  std::int64_t delivery_wait_ms = 5'000;  // that a call of the delivery thread waits: not past the time that stopping has
  std::int64_t stop_wait_ms = 5'000;      // that the destructor waits
};

struct SpoolOptions : SpoolCaps {
  compression::Encoding encoding = compression::Encoding::kZstd;
  // What the envelope says beside epoch, seq and metrics.
  std::string collector_id, hostname, version;
  const clock::Clock* clock = &clock::system_clock();  // outlives the spool
  SpoolPace pace;
  // For a command that has to know: no memory mode, an error instead; seal() and set_value() wait until it is on the disk.
  bool disk_only = false;
};

struct Loss {
  std::int64_t id = 0;        // of this spool
  std::string reason, epoch;  // "size" "age" "space" "memory" "corrupt", or what set_aside() was given: "poison" "too_large"
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t documents = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0;
};

// What one run leaves behind.
struct SealedRun {
  std::string plugin;
  std::vector<std::string> documents;  // JSON objects
  std::map<std::string, std::optional<std::string>> state;
  std::int64_t scheduled_unix_ns = 0;
  std::vector<Loss> reported_losses;  // as losses() gave them and the documents tell them; one may have grown meanwhile
  std::string type, schema_sha256;    // of its documents and their output schema, for the envelope; "": not known
};

struct SpoolStatus {
  std::string epoch;
  std::uint64_t last_seq = 0, produced_documents = 0, acknowledged_documents = 0, lost_documents = 0;
  std::uint64_t waiting_batches = 0, waiting_documents = 0, waiting_bytes = 0;
  std::int64_t oldest_unix_ns = 0;
  std::string mode = "disk", mode_reason;                                    // "memory", and why
  std::uint64_t memory_batches = 0, memory_documents = 0, memory_bytes = 0;  // of the waiting ones: those that are only in memory
  std::uint64_t pending_runs = 0;  // ended, and not written yet: the disk is slow; they are in no other figure
};

class Spool : public Outbox {
 public:
  // Opens or creates <dir>/spool.db; in memory mode when that cannot be. An error only when waiting would not help: error.code
  // "spool.locked" when another collector holds it, PGA_E_UNSUPPORTED when a newer program made it; with disk_only any.
  static Expected<std::unique_ptr<Spool>> open(const std::string& dir, const SpoolOptions& options);
  ~Spool() override;
  // The process is to end: neither the destructor nor a call of Outbox waits for the disk past `deadline`, calls that wait
  // already included. [any thread]
  void stop_waiting_after(std::chrono::steady_clock::time_point deadline);

  // All of it is kept, or none. Returns the batch's seq; 0 if the run had no documents (its state is stored all the same), or if
  // the disk has not taken it yet: then it will, in order, and state_of() knows its state already. Fails with disk_only alone.
  Expected<std::uint64_t> seal(SealedRun&& run);

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);

  Expected<std::optional<Batch>> next(Lane lane) override;
  Outcome hold(const BatchKey& key) override;
  void release(const BatchKey& key) override;
  Outcome acknowledge(const BatchKey& key) override;
  Outcome set_aside(const BatchKey& key, const std::string& reason) override;
  Expected<bool> split(const BatchKey& key) override;
  Outcome rekey(const BatchKey& key) override;

  // Losses that no waiting or acknowledged batch reports, oldest first, at most a thousand. Put them into
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
  // For who has to know without waiting: everything until now, and whether it is on the disk. Not in memory mode, later on a slow
  // disk.
  [[nodiscard]] std::uint64_t mark() const;
  [[nodiscard]] bool is_on_disk(std::uint64_t mark) const;
  // For a start, which has nothing to collect yet: returns when it is, or will not be soon: in memory mode, or after `patience`.
  void wait_for_disk(std::uint64_t mark, std::chrono::milliseconds patience) const;

  Expected<SpoolStatus> status();

 private:
  class Impl;
  explicit Spool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::spool
