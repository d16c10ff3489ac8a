#include "core/spool/ledger.h"

#include "core/crypto/digest.h"
#include "core/spool/record.h"

#include <algorithm>
#include <array>

namespace pganalytics::spool {

struct Ledger::Statements {
  std::array<Statement, 2> save;  // epoch and epoch_copy
  Statement last_loss, extend_loss, add_loss, unreport, settle, unreported, same_row, same_span, report, forget, move_carrier;
};

namespace {

constexpr std::size_t kToldAtOnce = 1000;

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// Of a row in the order id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc.
Expected<Loss> loss_of(const Statement& row) {
  Loss loss{row.integer(0), row.bytes(1), row.bytes(2), row.count(3), row.count(4), row.count(5), row.integer(6), row.integer(7)};
  if (crc_of(loss) != row.integer(8)) return damaged("a row of the loss ledger");
  return loss;
}

Outcome load_epochs(Database& database, const char* sql, Tally& tally) {
  PGA_TRY(Statement rows, database.prepare(sql));
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return {};
    EpochTally row{rows.bytes(0), rows.bytes(1), rows.count(2), rows.count(3), rows.count(4), rows.count(5)};
    if (crc_of(row) == rows.integer(6)) tally.epochs.emplace(row.epoch, row);
  }
}

Expected<Statement> prepare_save(Database& db, const char* table) {
  return db.prepare((std::string("INSERT INTO ") + table +
                     " (epoch, collector_id, last_seq, produced, acknowledged, lost, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                     " ON CONFLICT (epoch) DO UPDATE SET collector_id = ?2, last_seq = ?3, produced = ?4, acknowledged = ?5,"
                     " lost = ?6, crc = ?7")
                        .c_str());
}

}  // namespace

std::int64_t crc_of(const EpochTally& row) {
  return RecordCrc()
      .add(row.epoch)
      .add(row.collector_id)
      .add(row.last_seq)
      .add(row.produced)
      .add(row.acknowledged)
      .add(row.lost)
      .value();
}

std::int64_t crc_of(const Loss& loss) {
  return RecordCrc()
      .add(loss.reason)
      .add(loss.epoch)
      .add(loss.first_seq)
      .add(loss.last_seq)
      .add(loss.documents)
      .add(loss.first_unix_ns)
      .add(loss.last_unix_ns)
      .value();
}

std::int64_t record_crc_of(const BatchRow& row) {
  return RecordCrc()
      .add(row.position)
      .add(row.key.epoch)
      .add(row.key.seq)
      .add(row.key.part)
      .add(row.plugin)
      .add(row.documents)
      .add(row.first_unix_ns)
      .add(row.last_unix_ns)
      .add(row.sealed_ns)
      .add(row.encoding)
      .add(row.body_crc)
      .add(row.bytes)
      .value();
}

Expected<Ledger> Ledger::open(Database& db) {
  PGA_TRY(Statement save, prepare_save(db, "epoch"));
  PGA_TRY(Statement save_copy, prepare_save(db, "epoch_copy"));
  PGA_TRY(Statement last_loss,
          db.prepare("SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc"
                     " FROM loss WHERE reason = ? AND epoch = ? AND carrier IS NULL ORDER BY id DESC LIMIT 1"));
  PGA_TRY(Statement extend_loss,
          db.prepare("UPDATE loss SET last_seq = ?, documents = ?, first_unix_ns = ?, last_unix_ns = ?, crc = ? WHERE id = ?"));
  PGA_TRY(Statement add_loss,
          db.prepare("INSERT INTO loss (reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"));
  PGA_TRY(Statement unreport, db.prepare("UPDATE loss SET carrier = NULL WHERE carrier = ?"));
  PGA_TRY(Statement settle, db.prepare("DELETE FROM loss WHERE carrier = ?"));
  PGA_TRY(Statement unreported,
          db.prepare("SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc"
                     " FROM loss WHERE carrier IS NULL ORDER BY id"));
  const std::string same =
      "SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc"
      " FROM loss WHERE carrier IS NULL AND reason = ?1 AND epoch = ?2 AND first_seq = ?3";
  PGA_TRY(Statement same_row, db.prepare((same + " AND id = ?4").c_str()));
  PGA_TRY(Statement same_span, db.prepare((same + " ORDER BY id LIMIT 1").c_str()));
  PGA_TRY(Statement forget, db.prepare("DELETE FROM loss WHERE id = ?"));
  PGA_TRY(Statement report, db.prepare("UPDATE loss SET carrier = ? WHERE id = ? AND carrier IS NULL"));
  PGA_TRY(Statement move_carrier, db.prepare("UPDATE loss SET carrier = ? WHERE carrier = ?"));
  return Ledger(std::make_shared<Statements>(Statements{{std::move(save), std::move(save_copy)},
                                                        std::move(last_loss),
                                                        std::move(extend_loss),
                                                        std::move(add_loss),
                                                        std::move(unreport),
                                                        std::move(settle),
                                                        std::move(unreported),
                                                        std::move(same_row),
                                                        std::move(same_span),
                                                        std::move(report),
                                                        std::move(forget),
                                                        std::move(move_carrier)}));
}

Expected<Tally> Ledger::load(Database& database, const std::string& current) {
  Tally tally;
  tally.current = current;
  touched_.clear();
  PGA_CHECK(load_epochs(database, "SELECT epoch, collector_id, last_seq, produced, acknowledged, lost, crc FROM epoch", tally));
  PGA_CHECK(
      load_epochs(database, "SELECT epoch, collector_id, last_seq, produced, acknowledged, lost, crc FROM epoch_copy", tally));
  PGA_TRY(Statement waiting, database.prepare("SELECT count(*), coalesce(sum(documents), 0), coalesce(sum(body_bytes), 0),"
                                              " coalesce(max(position), 0) FROM batch"));
  PGA_CHECK(waiting.step());
  tally.waiting_batches = waiting.count(0);
  tally.waiting_documents = waiting.count(1);
  tally.waiting_bytes = waiting.count(2);
  tally.position = waiting.integer(3);
  if (tally.epochs.count(current) == 0) return damaged("the row of the epoch " + current);
  return tally;
}

void Ledger::begin_epoch(Tally& tally, const std::string& collector_id) {
  tally.current = crypto::hex(crypto::random_bytes(16));
  EpochTally& epoch = touched(tally, tally.current);
  epoch.epoch = tally.current;
  epoch.collector_id = collector_id;
}

EpochTally& Ledger::touched(Tally& tally, const std::string& epoch) {
  touched_.insert(epoch);
  return tally.epochs[epoch];
}

Outcome Ledger::save(const Tally& tally) {
  for (const std::string& epoch : touched_) {
    const EpochTally& row = tally.epochs.at(epoch);
    for (Statement& save : statements_->save) {
      PGA_CHECK(save.bind(row.epoch)
                    .bind(row.collector_id)
                    .bind(signed_of(row.last_seq))
                    .bind(signed_of(row.produced))
                    .bind(signed_of(row.acknowledged))
                    .bind(signed_of(row.lost))
                    .bind(crc_of(row))
                    .done());
    }
  }
  touched_.clear();
  return {};
}

Outcome Ledger::fold(Database& database, Tally& tally) {
  if (tally.epochs.size() <= static_cast<std::size_t>(kEpochsKept)) return {};
  PGA_TRY(
      Statement settled,
      database.prepare("SELECT epoch FROM epoch WHERE produced = acknowledged + lost AND epoch <> ? AND epoch <> ?"
                       " AND rowid <= (SELECT rowid FROM epoch ORDER BY rowid DESC LIMIT 1 OFFSET ?)"
                       " AND epoch NOT IN (SELECT epoch FROM loss) AND epoch NOT IN (SELECT epoch FROM batch) ORDER BY rowid"));
  settled.bind(tally.current).bind(kFoldedEpoch).bind(kEpochsKept);
  std::vector<std::string> epochs;
  for (;;) {
    PGA_TRY(const bool found, settled.step());
    if (!found) break;
    if (touched_.count(settled.bytes(0)) == 0) epochs.push_back(settled.bytes(0));
  }
  for (const std::string& epoch : epochs) {
    // The first gives its place in the table, which is an old one: the newest rows are those that grew last.
    const bool first = tally.epochs.count(kFoldedEpoch) == 0;
    for (const char* const sql :
         first ? std::array{"UPDATE epoch SET epoch = ?2 WHERE epoch = ?1", "UPDATE epoch_copy SET epoch = ?2 WHERE epoch = ?1"}
               : std::array{"DELETE FROM epoch WHERE epoch = ?1 AND epoch <> ?2",
                            "DELETE FROM epoch_copy WHERE epoch = ?1 AND epoch <> ?2"}) {
      PGA_TRY(Statement change, database.prepare(sql));
      PGA_CHECK(change.bind(epoch).bind(kFoldedEpoch).done());
    }
    const EpochTally row = tally.epochs.at(epoch);
    tally.epochs.erase(epoch);
    EpochTally& sum = touched(tally, kFoldedEpoch);
    sum.epoch = kFoldedEpoch;
    sum.produced += row.produced;
    sum.acknowledged += row.acknowledged;
    sum.lost += row.lost;
  }
  return {};
}

void Ledger::produced(Tally& tally, const BatchRow& batch) {
  EpochTally& epoch = touched(tally, batch.key.epoch);
  if (epoch.epoch.empty()) {  // of a file that was lost; the batch kept its number
    epoch.epoch = batch.key.epoch;
    epoch.collector_id = tally.growing().collector_id;
  }
  epoch.produced += batch.documents;
  epoch.last_seq = std::max(epoch.last_seq, batch.key.seq);
  waits(tally, batch);
}

void Ledger::waits(Tally& tally, const BatchRow& batch) {
  tally.waiting_batches += 1;
  tally.waiting_documents += batch.documents;
  tally.waiting_bytes += batch.bytes;
  tally.position = std::max(tally.position, batch.position);
}

void Ledger::forget(Tally& tally, const BatchRow& batch) {
  tally.waiting_batches -= 1;
  tally.waiting_documents -= batch.documents;
  tally.waiting_bytes -= batch.bytes;
}

Outcome Ledger::delivered(Tally& tally, const BatchRow& batch) {
  forget(tally, batch);
  touched(tally, batch.key.epoch).acknowledged += batch.documents;
  return statements_->settle.bind(batch.id).done();
}

Outcome Ledger::lose(Tally& tally, const BatchRow& batch, const std::string& reason) {
  forget(tally, batch);
  touched(tally, batch.key.epoch).lost += batch.documents;
  // Losses that this batch was to report are without a messenger again.
  PGA_CHECK(statements_->unreport.bind(batch.id).done());
  Statement& last = statements_->last_loss;
  PGA_TRY(const bool found, last.bind(reason).bind(batch.key.epoch).step());
  if (found) {
    PGA_TRY(Loss loss, loss_of(last));
    last.reset();
    if (loss.last_seq + 1 == batch.key.seq || loss.last_seq == batch.key.seq) {
      loss.last_seq = batch.key.seq;
      loss.documents += batch.documents;
      loss.first_unix_ns = std::min(loss.first_unix_ns, batch.first_unix_ns);
      loss.last_unix_ns = std::max(loss.last_unix_ns, batch.last_unix_ns);
      return rewrite(loss);
    }
  }
  const Loss loss{
      0, reason, batch.key.epoch, batch.key.seq, batch.key.seq, batch.documents, batch.first_unix_ns, batch.last_unix_ns};
  PGA_CHECK(add(loss));
  return {};
}

Outcome Ledger::rewrite(const Loss& loss) {
  return statements_->extend_loss.bind(signed_of(loss.last_seq))
      .bind(signed_of(loss.documents))
      .bind(loss.first_unix_ns)
      .bind(loss.last_unix_ns)
      .bind(crc_of(loss))
      .bind(loss.id)
      .done();
}

Expected<std::int64_t> Ledger::add(const Loss& loss) {
  Statement& add = statements_->add_loss;
  PGA_CHECK(add.bind(loss.reason)
                .bind(loss.epoch)
                .bind(signed_of(loss.first_seq))
                .bind(signed_of(loss.last_seq))
                .bind(signed_of(loss.documents))
                .bind(loss.first_unix_ns)
                .bind(loss.last_unix_ns)
                .bind(crc_of(loss))
                .step());
  const std::int64_t id = add.integer(0);
  add.reset();
  return id;
}

void Ledger::moved(Tally& tally, const BatchRow& from, const BatchRow& to) {
  touched(tally, from.key.epoch).produced -= from.documents;
  forget(tally, from);
  produced(tally, to);
}

void Ledger::halved(Tally& tally, const BatchRow& whole, const BatchRow& first, const BatchRow& second) {
  // A half is made of what was produced already.
  touched(tally, whole.key.epoch).produced -= whole.documents;
  forget(tally, whole);
  produced(tally, first);
  produced(tally, second);
}

Expected<std::vector<Loss>> Ledger::unreported() {
  std::vector<Loss> losses;
  Statement& rows = statements_->unreported;
  rows.reset();
  while (losses.size() < kToldAtOnce) {
    PGA_TRY(const bool found, rows.step());
    if (!found) break;
    PGA_TRY(Loss loss, loss_of(rows));
    losses.push_back(std::move(loss));
  }
  rows.reset();
  return losses;
}

// Without a messenger. It has another id when it was in memory, or in a file that was salvaged, when it was read.
Expected<std::optional<Loss>> Ledger::row_of(const Loss& told) {
  for (Statement* const query : {&statements_->same_row, &statements_->same_span}) {
    query->bind(told.reason).bind(told.epoch).bind(signed_of(told.first_seq));
    if (query == &statements_->same_row) query->bind(told.id);
    PGA_TRY(const bool found, query->step());
    if (!found) continue;
    PGA_TRY(Loss loss, loss_of(*query));
    query->reset();
    return std::optional(std::move(loss));
  }
  return std::optional<Loss>();
}

// Makes the row what was told of it, and returns its id. Between losses() and the run that tells them other batches are lost, and
// a row grows by its neighbours.
Expected<std::optional<std::int64_t>> Ledger::narrow(const Loss& told) {
  PGA_TRY(auto row, row_of(told));
  if (!row) return std::optional<std::int64_t>();
  const std::int64_t id = row->id;
  if (row->documents > told.documents) {
    Loss kept = told;
    kept.id = id;
    PGA_CHECK(rewrite(kept));
    row->first_seq = std::min(told.last_seq + 1, row->last_seq);
    row->documents -= told.documents;
    PGA_CHECK(add(*row));
  }
  return std::optional(id);
}

Outcome Ledger::report(const std::vector<Loss>& told, std::int64_t carrier) {
  for (const Loss& loss : told) {
    PGA_TRY(const auto id, narrow(loss));
    if (id) PGA_CHECK(statements_->report.bind(carrier).bind(*id).done());
  }
  return {};
}

Outcome Ledger::settle(const std::vector<Loss>& told) {
  for (const Loss& loss : told) {
    PGA_TRY(const auto id, narrow(loss));
    if (id) PGA_CHECK(statements_->forget.bind(*id).done());
  }
  return {};
}

Outcome Ledger::move_carrier(std::int64_t from, std::int64_t to) { return statements_->move_carrier.bind(to).bind(from).done(); }

}  // namespace pganalytics::spool
