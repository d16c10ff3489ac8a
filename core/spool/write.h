// What waits to be written: a run on its way from seal() to a place on the disk or in the ring.
//
// Private to core/spool. Not here: the queue that it waits in (write_queue.h). It belongs to one thread at a time.
#pragma once

#include "core/spool/ledger.h"
#include "core/spool/spool.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::spool {

// What may be in memory only, for want of a disk: in the queue and the ring together.
constexpr std::size_t kMemoryBytesMax = std::size_t{32} << 20;
constexpr std::size_t kMemoryBytesOfPluginMax = std::size_t{4} << 20;

// How a write ended, for whoever waits for it.
struct Receipt {
  bool done = false;  // under the queue's mutex
  std::uint64_t seq = 0;
  std::optional<Error> error;
};

// A run, or values, which come alone. With a key it has taken its number, and keeps it wherever it goes.
struct Write {
  std::uint64_t number = 0;  // the queue's, in the order in which they came
  SealedRun run;
  std::map<std::string, std::optional<std::string>> values;  // nullopt: removed
  std::uint64_t given_up = 0;                                // documents dropped before the run had a number: no room in memory
  BatchRow row;                                              // with a key: what is stored; documents 0: there is no batch
  std::string body;
  std::shared_ptr<Receipt> receipt = std::make_shared<Receipt>();

  [[nodiscard]] bool has_batch() const { return given_up > 0 || !run.documents.empty() || row.documents > 0; }
  [[nodiscard]] bool has_key() const { return row.key.seq != 0; }
  // What it weighs in memory, state and values included.
  [[nodiscard]] std::size_t bytes() const;
  // Only the count of its documents stays, and its state.
  void give_up(std::int64_t now_unix_ns);
  // From one that is older: state and values where this one has none of that name; all that it gave up, when this one did as
  // well.
  void take_state_of(Write& older);
  void take_losses_of(Write& older);
};

// Numbers it, makes the envelope and lets go of the documents. Bytes that cannot be made are given up like those without room.
void prepare(Write& write, const BatchKey& key, std::int64_t position, std::int64_t sealed_ns, const SpoolOptions& options);

}  // namespace pganalytics::spool
