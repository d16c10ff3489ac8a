// The spool's bookkeeping: how many documents were made, delivered and lost, and the ledger of losses.
//
// Private to core/spool; every function runs inside a transaction of the caller and changes `tally`, which the caller keeps only
// if the commit succeeded. Not here: batches' bytes.
#pragma once

#include "core/spool/spool.h"
#include "core/spool/sqlite.h"

namespace pganalytics::spool {

// The newest epoch's row and the sums over the waiting batches.
struct Tally {
  std::int64_t epoch_id = 0;
  std::string epoch, collector_id;
  std::uint64_t last_seq = 0, produced = 0, acknowledged = 0, lost = 0;
  std::uint64_t waiting_batches = 0, waiting_documents = 0, waiting_bytes = 0;
};

// A waiting batch without its body.
struct BatchRow {
  std::uint64_t seq = 0, documents = 0, bytes = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0, sealed_unix_ns = 0;
};

class Ledger {
 public:
  static Expected<Ledger> open(Database& database);

  // nullopt: a new spool, no epoch yet.
  Expected<std::optional<Tally>> load(Database& database);
  // A new epoch of `collector_id`, with nothing in it.
  Expected<Tally> begin_epoch(const std::string& collector_id);
  Outcome save(const Tally& tally);

  // Oldest waiting batch with after < seq < before that is not `spared`; nullopt: none.
  Expected<std::optional<BatchRow>> oldest(std::uint64_t after, std::uint64_t before, std::uint64_t spared);

  Outcome delivered(Tally& tally, const BatchRow& batch);
  Outcome lose(Tally& tally, const BatchRow& batch, const std::string& reason);

  Expected<std::vector<Loss>> unreported();
  Outcome report(const std::vector<std::int64_t>& losses, std::uint64_t carrier);
  Outcome move_carrier(std::uint64_t from, std::uint64_t to);

 private:
  struct Statements;
  explicit Ledger(std::shared_ptr<Statements> statements) : statements_(std::move(statements)) {}
  Outcome forget(Tally& tally, const BatchRow& batch);

  std::shared_ptr<Statements> statements_;
};

}  // namespace pganalytics::spool
