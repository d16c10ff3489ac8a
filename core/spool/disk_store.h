// What is on the disk: batches, plugins' state, values, the books, each change one transaction.
//
// Private to core/spool. Here: sealing, caps, the ends of a batch, what the ring hands over. Not here: the file's format
// (spool_file.h), who gets which batch (lanes.h), what to do when the disk fails (storage.h). An operation that fails leaves file
// and figures as they were. [storage thread]
#pragma once

#include "core/spool/file_access.h"
#include "core/spool/ring.h"
#include "core/spool/salvage.h"
#include "core/spool/sqlite.h"

#include <functional>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::spool {

class DiskStore {
 public:
  using PassOver = Ring::PassOver;
  enum class Access { kWrite, kRead };

  // <dir>/spool.db, made if it is not there and may be written. The lock on the folder is the caller's. `options` must outlive
  // it.
  static Expected<std::unique_ptr<DiskStore>> open(const std::string& dir, const SpoolOptions& options, Access access);
  ~DiskStore();

  // Each gets a number if it has none, then all are one transaction.
  Outcome write(std::vector<Write>& writes);
  // Whatever waits in the ring, and what happened meanwhile. `unsaved` has states and values only; `out` was handed out.
  Outcome adopt(const Ring& ring, const std::vector<Write>& unsaved, const PassOver& out);

  // Those whose fate is not known first, then by the lane's order.
  Expected<std::optional<BatchRow>> choose(Lane lane, const PassOver& pass_over);
  Expected<std::optional<BatchRow>> find(const BatchKey& key);
  // error.code "spool.corrupt_batch" if the bytes are not what was sealed.
  Expected<std::string> body_of(const BatchRow& row);

  Outcome mark_tried(const BatchRow& row);
  Outcome unmark(const BatchRow& row);
  Outcome acknowledge(const BatchRow& row);
  Outcome set_aside(const BatchRow& row, const std::string& reason);
  Expected<bool> split(const BatchRow& row);
  Outcome rekey(const BatchRow& row);

  // Drops the oldest ("space"), but none of `spared`, until `bytes` are free in the file or given back; false: nothing may go.
  Expected<bool> make_room(std::uint64_t bytes, const PassOver& spared);

  Expected<std::map<std::string, std::map<std::string, std::string>>> states();
  Expected<std::map<std::string, std::string>> values();
  Expected<std::vector<Loss>> losses() { return ledger_.unreported(); }
  Expected<SpoolStatus> status();
  // What the last transaction, which failed, was removing: its commit may have reached the file, and another handle knows.
  [[nodiscard]] const std::vector<BatchKey>& in_doubt() const { return removed_; }
  [[nodiscard]] std::int64_t position() const { return tally_.position; }
  [[nodiscard]] std::int64_t now_ns() const;
  // The file at its place is the one that is open here.
  [[nodiscard]] bool in_place() const;
  // PGA_E_FAIL when the place where the file should be is on another file system: what was mounted there is gone.
  [[nodiscard]] Outcome can_be_put_back() const;
  // The whole of it, as it is open here, written into that place. The lock on the folder is the caller's.
  Outcome put_back();

 private:
  struct Statements;
  DiskStore(std::string dir, const SpoolOptions& options, Database&& database, std::optional<Witness>&& witness, Ledger&& ledger,
            std::unique_ptr<Statements> statements);

  Outcome begin();
  Outcome begin_reading();
  Outcome begin_again();
  template <class Work>
  Outcome transact(Work&& work);

  Outcome write_one(Write& write);
  Outcome write_state(const SealedRun& run);
  Outcome write_value(const std::string& key, const std::optional<std::string>& value);
  Outcome write_batch(Write& write);
  Outcome insert(BatchRow& row, std::string_view body);
  [[nodiscard]] bool has_committed(const BatchKey& key) const;
  Expected<std::set<BatchKey>> counted_in_file(const Ring& ring);
  Outcome adopt_entry(const Ring::Entry& entry, std::int64_t shift, const PassOver& out,
                      std::map<std::int64_t, std::int64_t>& carriers);
  Outcome adopt_end(const Ring::Ended& ended);
  Outcome enforce_age();
  Outcome enforce_caps();
  Expected<std::uint64_t> drop_oldest(const char* reason, const PassOver& spared);
  Outcome lose(const BatchRow& row, const std::string& reason);
  Outcome remove(const BatchRow& row);
  [[nodiscard]] bool below_floor() const;
  Expected<std::uint64_t> missing_bytes();
  void give_space_back();
  Outcome seal_again(const BatchRow& row);
  Outcome save_home();

  std::string dir_;
  const SpoolOptions& options_;
  Database database_;
  std::optional<Witness> witness_;  // of a file that is written
  Ledger ledger_;
  std::unique_ptr<Statements> sql_;
  Tally tally_;
  std::vector<BatchKey> removed_;  // by this transaction, or by the last one if it failed
  std::string home_;
  FilePlace place_;
  std::uint64_t ended_ = 0;
  std::int64_t clock_ns_ = 0, clock_since_ns_ = 0, home_saved_ns_ = 0;  // the spool's clock at a moment of the monotonic one
};

}  // namespace pganalytics::spool
