// The spool's bookkeeping: how many documents of each epoch were made, delivered and lost, and the ledger of losses.
//
// Private to core/spool; every changing function runs inside a transaction of the caller, and changes the tally in memory too:
// when the transaction fails, load() makes it again from the file. Not here: batches' bytes. [storage thread]
#pragma once

#include "core/spool/spool.h"
#include "core/spool/sqlite.h"

#include <map>
#include <optional>
#include <set>

namespace pganalytics::spool {

// The row of those that were folded; last_seq is 0.
constexpr const char* kFoldedEpoch = "00000000000000000000000000000000";
constexpr std::int64_t kEpochsKept = 1000;

// What stands in an epoch's row.
struct EpochTally {
  std::string epoch, collector_id;
  std::uint64_t last_seq = 0, produced = 0, acknowledged = 0, lost = 0;
};

// All of it, and sums over the waiting batches.
struct Tally {
  std::string current;  // the epoch that grows
  std::map<std::string, EpochTally> epochs;
  std::uint64_t waiting_batches = 0, waiting_documents = 0, waiting_bytes = 0;
  std::int64_t position = 0;  // of the newest batch there ever was, as far as the file knows

  [[nodiscard]] EpochTally& growing() { return epochs[current]; }
};

// A waiting batch without its body.
struct BatchRow {
  std::int64_t id = 0, position = 0;
  BatchKey key;
  std::string plugin, encoding;
  std::uint64_t documents = 0, bytes = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0, sealed_ns = 0, body_crc = 0;
};
// The checksum of its columns.
std::int64_t record_crc_of(const BatchRow& row);
std::int64_t crc_of(const EpochTally& row);
std::int64_t crc_of(const Loss& loss);

class Ledger {
 public:
  static Expected<Ledger> open(Database& database);

  // The figures as they stand in the file; `current` is the caller's to know.
  Expected<Tally> load(Database& database, const std::string& current);
  // An epoch with nothing in it, which grows from now on.
  void begin_epoch(Tally& tally, const std::string& collector_id);
  // Writes the epochs that changed since.
  Outcome save(const Tally& tally);
  void forget_changes() { touched_.clear(); }
  // The figures of an epoch that another one counted.
  void put_epoch(Tally& tally, const EpochTally& epoch) { touched(tally, epoch.epoch) = epoch; }

  // Old epochs of which nothing waits and no loss is untold become one row, kFoldedEpoch, which has their sums. The newest
  // kEpochsKept stay: the witness speaks of some of them.
  Outcome fold(Database& database, Tally& tally);

  void produced(Tally& tally, const BatchRow& batch);      // a new batch waits
  void waits(Tally& tally, const BatchRow& batch);         // one that its epoch counted already does
  Outcome delivered(Tally& tally, const BatchRow& batch);  // its row is the caller's to remove
  Outcome lose(Tally& tally, const BatchRow& batch, const std::string& reason);
  // Its content waits as `to` from now on: under another key, or with another size.
  void moved(Tally& tally, const BatchRow& from, const BatchRow& to);
  void halved(Tally& tally, const BatchRow& whole, const BatchRow& first, const BatchRow& second);

  Expected<std::int64_t> add(const Loss& loss);  // a row of its own; its id
  Expected<std::vector<Loss>> unreported();
  // `told`: as the carrier's documents tell them. What a row grew by since stays behind as a row without a messenger.
  Outcome report(const std::vector<Loss>& told, std::int64_t carrier);
  // They were told and are acknowledged.
  Outcome settle(const std::vector<Loss>& told);
  Outcome move_carrier(std::int64_t from, std::int64_t to);

 private:
  struct Statements;
  explicit Ledger(std::shared_ptr<Statements> statements) : statements_(std::move(statements)) {}
  void forget(Tally& tally, const BatchRow& batch);
  Outcome rewrite(const Loss& loss);
  Expected<std::optional<std::int64_t>> narrow(const Loss& told);
  Expected<std::optional<Loss>> row_of(const Loss& told);
  EpochTally& touched(Tally& tally, const std::string& epoch);

  std::shared_ptr<Statements> statements_;
  std::set<std::string> touched_;
};

}  // namespace pganalytics::spool
