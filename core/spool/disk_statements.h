// What the files of DiskStore share: its SQL, prepared once, and its transactions. Private to them. [storage thread]
#pragma once

#include "core/spool/disk_store.h"
#include "core/spool/record.h"

namespace pganalytics::spool {

struct DiskStore::Statements {
  static Expected<std::unique_ptr<Statements>> prepare(Database& db);

  Statement insert_batch, find, oldest, newest, tried, droppable, elsewhere, body, remove, mark, unmark;
  Statement set_state, delete_state, set_value, remove_value, set_home, forget_epoch, forget_losses;
};

// What a row is made of; body is read on its own.
constexpr const char* kBatchColumns =
    "b.id, b.position, b.epoch, b.seq, b.part, b.plugin, b.documents, b.first_unix_ns, b.last_unix_ns, b.sealed_ns, b.encoding,"
    " b.crc32, b.body_bytes, b.record_crc";

inline BatchRow row_of(const Statement& row) {
  return {row.integer(0), row.integer(1), {row.bytes(2), row.count(3), row.bytes(4)},
          row.bytes(5),   row.bytes(10),  row.count(6),
          row.count(12),  row.integer(7), row.integer(8),
          row.integer(9), row.integer(11)};
}

// The next row of a statement that selects kBatchColumns, as it was written.
inline Expected<std::optional<BatchRow>> next_row(Statement& statement) {
  PGA_TRY(const bool found, statement.step());
  if (!found) return std::optional<BatchRow>();
  BatchRow row = row_of(statement);
  if (record_crc_of(row) != statement.integer(13)) return damaged("the row of a batch");
  return std::optional(std::move(row));
}

inline Expected<std::optional<BatchRow>> only_row(Statement& statement) {
  auto row = next_row(statement);
  statement.reset();
  return row;
}

// What `work` does is one transaction with the books; when it fails, they are as before, and removed_ tells what it took away.
template <class Work>
Outcome DiskStore::transact(Work&& work) {
  Tally before = tally_;
  removed_.clear();
  Outcome done = [&]() -> Outcome {
    PGA_TRY(Transaction transaction, Transaction::begin(database_));
    PGA_CHECK(work());
    PGA_CHECK(ledger_.save(tally_));
    return transaction.commit();
  }();
  if (done) {
    removed_.clear();
    if (witness_) witness_->note(database_);
    return done;
  }
  tally_ = std::move(before);
  ledger_.forget_changes();
  return done;
}

}  // namespace pganalytics::spool
