#include "core/spool/ledger.h"

#include "core/crypto/digest.h"

namespace pganalytics::spool {

struct Ledger::Statements {
  Statement begin_epoch, save, oldest, remove, extend_loss, add_loss, unreport, settle, unreported, report, move_carrier;
};

namespace {

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Expected<std::optional<BatchRow>> batch_row(Statement& statement) {
  PGA_TRY(const bool found, statement.step());
  if (!found) return std::optional<BatchRow>();
  const BatchRow row{statement.count(0),   statement.count(1),   statement.count(2),
                     statement.integer(3), statement.integer(4), statement.integer(5)};
  statement.reset();
  return std::optional(row);
}

}  // namespace

Expected<Ledger> Ledger::open(Database& db) {
  PGA_TRY(Statement begin_epoch, db.prepare("INSERT INTO epoch (epoch, collector_id) VALUES (?, ?) RETURNING id"));
  PGA_TRY(Statement save, db.prepare("UPDATE epoch SET last_seq = ?, produced = ?, acknowledged = ?, lost = ? WHERE id = ?"));
  PGA_TRY(Statement oldest, db.prepare("SELECT seq, documents, body_bytes, first_unix_ns, last_unix_ns, sealed_unix_ns FROM batch"
                                       " WHERE seq > ? AND seq < ? AND seq <> ? ORDER BY seq LIMIT 1"));
  PGA_TRY(Statement remove, db.prepare("DELETE FROM batch WHERE seq = ?"));
  PGA_TRY(
      Statement extend_loss,
      db.prepare("UPDATE loss SET last_seq = last_seq + 1, documents = documents + ?1, first_unix_ns = min(first_unix_ns, ?2),"
                 " last_unix_ns = max(last_unix_ns, ?3)"
                 " WHERE reason = ?4 AND epoch = ?5 AND last_seq = ?6 - 1 AND carrier IS NULL RETURNING id"));
  PGA_TRY(Statement add_loss,
          db.prepare("INSERT INTO loss (documents, first_unix_ns, last_unix_ns, reason, epoch, first_seq, last_seq)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"));
  PGA_TRY(Statement unreport, db.prepare("UPDATE loss SET carrier = NULL WHERE carrier = ?"));
  PGA_TRY(Statement settle, db.prepare("DELETE FROM loss WHERE carrier = ?"));
  PGA_TRY(Statement unreported, db.prepare("SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns"
                                           " FROM loss WHERE carrier IS NULL ORDER BY id LIMIT 1000"));
  PGA_TRY(Statement report, db.prepare("UPDATE loss SET carrier = ? WHERE id = ? AND carrier IS NULL"));
  PGA_TRY(Statement move_carrier, db.prepare("UPDATE loss SET carrier = ? WHERE carrier = ?"));
  return Ledger(std::make_shared<Statements>(Statements{
      std::move(begin_epoch), std::move(save), std::move(oldest), std::move(remove), std::move(extend_loss), std::move(add_loss),
      std::move(unreport), std::move(settle), std::move(unreported), std::move(report), std::move(move_carrier)}));
}

Expected<std::optional<Tally>> Ledger::load(Database& database) {
  PGA_TRY(Statement newest, database.prepare("SELECT id, epoch, collector_id, last_seq, produced, acknowledged, lost FROM epoch"
                                             " ORDER BY id DESC LIMIT 1"));
  PGA_TRY(const bool found, newest.step());
  if (!found) return std::optional<Tally>();
  Tally tally{newest.integer(0), newest.bytes(1), newest.bytes(2), newest.count(3),
              newest.count(4),   newest.count(5), newest.count(6)};
  PGA_TRY(Statement waiting,
          database.prepare("SELECT count(*), coalesce(sum(documents), 0), coalesce(sum(body_bytes), 0) FROM batch"));
  PGA_CHECK(waiting.step());
  tally.waiting_batches = waiting.count(0);
  tally.waiting_documents = waiting.count(1);
  tally.waiting_bytes = waiting.count(2);
  return std::optional(tally);
}

Expected<Tally> Ledger::begin_epoch(const std::string& collector_id) {
  Tally tally;
  tally.epoch = crypto::hex(crypto::random_bytes(16));
  tally.collector_id = collector_id;
  Statement& insert = statements_->begin_epoch;
  PGA_CHECK(insert.bind(tally.epoch).bind(collector_id).step());
  tally.epoch_id = insert.integer(0);
  insert.reset();
  return tally;
}

Outcome Ledger::save(const Tally& tally) {
  return statements_->save.bind(signed_of(tally.last_seq))
      .bind(signed_of(tally.produced))
      .bind(signed_of(tally.acknowledged))
      .bind(signed_of(tally.lost))
      .bind(tally.epoch_id)
      .done();
}

Expected<std::optional<BatchRow>> Ledger::oldest(std::uint64_t after, std::uint64_t before, std::uint64_t spared) {
  return batch_row(statements_->oldest.bind(signed_of(after)).bind(signed_of(before)).bind(signed_of(spared)));
}

Outcome Ledger::forget(Tally& tally, const BatchRow& batch) {
  PGA_CHECK(statements_->remove.bind(signed_of(batch.seq)).done());
  tally.waiting_batches -= 1;
  tally.waiting_documents -= batch.documents;
  tally.waiting_bytes -= batch.bytes;
  return {};
}

Outcome Ledger::delivered(Tally& tally, const BatchRow& batch) {
  PGA_CHECK(forget(tally, batch));
  tally.acknowledged += batch.documents;
  return statements_->settle.bind(signed_of(batch.seq)).done();
}

Outcome Ledger::lose(Tally& tally, const BatchRow& batch, const std::string& reason) {
  PGA_CHECK(forget(tally, batch));
  tally.lost += batch.documents;
  // Losses that this batch was to report are without a messenger again.
  PGA_CHECK(statements_->unreport.bind(signed_of(batch.seq)).done());
  const auto bound = [&](Statement& statement) -> Statement& {
    return statement.bind(signed_of(batch.documents))
        .bind(batch.first_unix_ns)
        .bind(batch.last_unix_ns)
        .bind(reason)
        .bind(tally.epoch)
        .bind(signed_of(batch.seq));
  };
  PGA_TRY(const bool extended, bound(statements_->extend_loss).step());
  statements_->extend_loss.reset();
  return extended ? Outcome() : bound(statements_->add_loss).done();
}

Expected<std::vector<Loss>> Ledger::unreported() {
  std::vector<Loss> losses;
  Statement& rows = statements_->unreported;
  rows.reset();
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return losses;
    losses.push_back({rows.integer(0), rows.bytes(1), rows.bytes(2), rows.count(3), rows.count(4), rows.count(5), rows.integer(6),
                      rows.integer(7)});
  }
}

Outcome Ledger::report(const std::vector<std::int64_t>& losses, std::uint64_t carrier) {
  for (const std::int64_t id : losses) PGA_CHECK(statements_->report.bind(signed_of(carrier)).bind(id).done());
  return {};
}

Outcome Ledger::move_carrier(std::uint64_t from, std::uint64_t to) {
  return statements_->move_carrier.bind(signed_of(to)).bind(signed_of(from)).done();
}

}  // namespace pganalytics::spool
