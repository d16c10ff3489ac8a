// DiskStore: which batch comes next, how a batch ends, and those that get other keys.
#include "core/spool/disk_statements.h"
#include "core/spool/halves.h"

namespace pganalytics::spool {
namespace {

constexpr std::uint64_t kVacuumEvery = 64;  // ended batches

}  // namespace

Expected<std::optional<BatchRow>> DiskStore::find(const BatchKey& key) {
  return only_row(sql_->find.bind(key.epoch).bind(static_cast<std::int64_t>(key.seq)).bind(key.part));
}

Expected<std::optional<BatchRow>> DiskStore::choose(Lane lane, const PassOver& pass_over) {
  // Of a file that can only be read: what another collector id sealed gets other keys as soon as it can be written.
  if (tally_.growing().collector_id != options_.collector_id) return std::optional<BatchRow>();
  for (Statement* const order : {&sql_->tried, lane == Lane::kLive ? &sql_->newest : &sql_->oldest}) {
    order->reset();
    for (;;) {
      auto row = next_row(*order);
      if (row && *row && pass_over((*row)->key)) continue;
      order->reset();
      if (!row || *row) return row;
      break;
    }
  }
  return std::optional<BatchRow>();
}

Expected<std::string> DiskStore::body_of(const BatchRow& row) {
  Statement& sql = sql_->body;
  PGA_TRY(const bool found, sql.bind(row.id).step());
  std::string body = found ? sql.bytes(0) : std::string();
  sql.reset();
  if (crc32_of(body) != row.body_crc) return corrupt_batch(row.key);
  return body;
}

Outcome DiskStore::mark_tried(const BatchRow& row) {
  return transact([&] { return sql_->mark.bind(row.id).done(); });
}

Outcome DiskStore::unmark(const BatchRow& row) {
  return transact([&] { return sql_->unmark.bind(row.id).done(); });
}

Outcome DiskStore::acknowledge(const BatchRow& row) {
  Outcome done = transact([&]() -> Outcome {
    PGA_CHECK(remove(row));
    return ledger_.delivered(tally_, row);
  });
  if (done && ++ended_ % kVacuumEvery == 0) give_space_back();
  return done;
}

Outcome DiskStore::set_aside(const BatchRow& row, const std::string& reason) {
  return transact([&] { return lose(row, reason); });
}

Outcome DiskStore::lose(const BatchRow& row, const std::string& reason) {
  PGA_CHECK(remove(row));
  return ledger_.lose(tally_, row, reason);
}

Outcome DiskStore::remove(const BatchRow& row) {
  removed_.push_back(row.key);
  PGA_CHECK(sql_->unmark.bind(row.id).done());
  return sql_->remove.bind(row.id).done();
}

Expected<bool> DiskStore::split(const BatchRow& whole) {
  PGA_TRY(const std::string body, body_of(whole));
  PGA_TRY(auto halves, halve(whole, body, options_));
  if (!halves) return false;
  auto& first = (*halves)[0];  // names of their own: in C++17 no lambda takes those of a structured binding
  auto& second = (*halves)[1];
  const Outcome done = transact([&]() -> Outcome {
    PGA_CHECK(remove(whole));
    PGA_CHECK(insert(first.row, first.body));
    PGA_CHECK(insert(second.row, second.body));
    ledger_.halved(tally_, whole, first.row, second.row);
    // What it was to report stands in the first document of a run that reports.
    return ledger_.move_carrier(whole.id, first.row.id);
  });
  if (!done) return done.error();
  return true;
}

Outcome DiskStore::rekey(const BatchRow& row) {
  return transact([&]() -> Outcome {
    if (row.key.epoch == tally_.current) {
      ledger_.begin_epoch(tally_, options_.collector_id);
      PGA_CHECK(save_home());
    }
    return seal_again(row);
  });
}

// In the epoch that grows, in its old place.
Outcome DiskStore::seal_again(const BatchRow& row) {
  PGA_TRY(const std::string body, body_of(row));
  PGA_TRY(SealedBatch again, reseal(row, body, {tally_.current, tally_.growing().last_seq + 1, ""}, options_));
  PGA_CHECK(remove(row));
  PGA_CHECK(insert(again.row, again.body));
  PGA_CHECK(ledger_.move_carrier(row.id, again.row.id));
  ledger_.moved(tally_, row, again.row);
  return {};
}

// The spool's collector id changed: a new epoch, into which whatever waits is sealed again.
Outcome DiskStore::begin_again() {
  ledger_.begin_epoch(tally_, options_.collector_id);
  for (;;) {
    PGA_TRY(const auto row, only_row(sql_->elsewhere.bind(tally_.current)));
    if (!row) return {};
    const Outcome sealed = seal_again(*row);
    if (sealed) continue;
    if (sealed.error().code != "spool.corrupt_batch") return sealed;
    PGA_CHECK(lose(*row, "corrupt"));
  }
}

}  // namespace pganalytics::spool
