// What is on the disk: batches, plugins' state, values, the books, each change one transaction.
//
// Private to core/spool. Here: sealing, caps, lanes, the ends of a batch. Not here: the file's format and its migration
// (spool_file.h), halving and renaming batches (disk_rewrite.cpp), what to do when the disk fails. An operation that fails leaves
// file and figures as they were. [storage thread]
#pragma once

#include "core/spool/envelope.h"
#include "core/spool/ledger.h"
#include "core/spool/salvage.h"
#include "core/spool/spool.h"
#include "core/spool/sqlite.h"

#include <array>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>

namespace pganalytics::spool {

class DiskStore {
 public:
  // Opens or makes <dir>/spool.db; reads nothing but the books. The lock on the folder is the caller's.
  static Expected<std::unique_ptr<DiskStore>> open(const std::string& dir, const SpoolOptions& options);
  ~DiskStore();

  // Returns the batch's seq; 0: the run had no documents.
  Expected<std::uint64_t> seal(const SealedRun& run);
  Outcome set_value(const std::string& key, const std::optional<std::string>& value);

  // The whole of Outbox, with errors of its kinds.
  Expected<std::optional<Batch>> next(Lane lane);
  Outcome hold(const BatchKey& key);
  void release(const BatchKey& key) { held_.erase(key); }
  Outcome acknowledge(const BatchKey& key);
  Outcome set_aside(const BatchKey& key, const std::string& reason);
  Expected<bool> split(const BatchKey& key);
  Outcome rekey(const BatchKey& key);

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);
  Expected<std::optional<std::string>> value(const std::string& key);
  Expected<std::vector<Loss>> losses() { return ledger_.unreported(); }
  Expected<SpoolStatus> status();

  void set_encoding(compression::Encoding encoding) { options_.encoding = encoding; }
  void set_caps(const SpoolCaps& caps) { static_cast<SpoolCaps&>(options_) = caps; }

 private:
  struct Statements;
  DiskStore(std::string dir, SpoolOptions options, Opened&& opened, Ledger&& ledger, std::unique_ptr<Statements> statements);

  Outcome begin();
  Outcome begin_again();
  template <class Work>
  Outcome transact(Work&& work);
  template <class Work>
  Outcome transact_unsynced(Work&& work);

  Outcome write_state(const SealedRun& run);
  Outcome insert_run(const SealedRun& run);
  Outcome insert(BatchRow& row, std::string_view body);
  Outcome enforce_age();
  Outcome enforce_caps();
  Expected<std::uint64_t> drop_oldest(const char* reason);
  Outcome lose(const BatchRow& row, const std::string& reason);
  Outcome remove(const BatchRow& row);
  [[nodiscard]] std::uint64_t missing_bytes() const;
  Outcome give_space_back();

  Expected<std::optional<BatchRow>> find(const BatchKey& key);
  Expected<BatchRow> waiting(const BatchKey& key);
  Expected<std::optional<BatchRow>> choose(Lane lane);
  Expected<Batch> read(const BatchRow& row);
  void ended(const BatchKey& key);
  Outcome seal_again(const BatchRow& row);
  BatchRow fresh(const BatchKey& key, const std::vector<std::string_view>& documents, std::int64_t fallback_unix_ns) const;
  Expected<std::string> envelope_bytes(const BatchKey& key, std::string_view metrics) const;
  Outcome save_home();
  [[nodiscard]] std::int64_t now_ns() const;

  std::string dir_;
  SpoolOptions options_;
  Database database_;
  Witness witness_;
  Ledger ledger_;
  std::unique_ptr<Statements> sql_;
  Tally tally_;
  std::array<std::optional<BatchKey>, 2> out_;  // by lane: handed out
  std::set<BatchKey> held_;
  std::uint64_t ended_ = 0;
  std::int64_t clock_ns_ = 0, clock_since_ns_ = 0;  // the spool's clock at a moment of the monotonic one
};

}  // namespace pganalytics::spool
