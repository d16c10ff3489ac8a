// DiskStore: the ring's batches, its books and what ended meanwhile come back to the disk.
//
// All of it can be done twice: when the commit fails nobody knows whether it reached the file, and the next try finds either.
#include "core/spool/disk_statements.h"

namespace pganalytics::spool {

Outcome DiskStore::adopt(const Ring& ring, const std::vector<Write>& unsaved, const PassOver& out) {
  return transact([&]() -> Outcome {
    for (const Write& write : unsaved) {
      PGA_CHECK(write_state(write.run));
      for (const auto& [key, value] : write.values) PGA_CHECK(write_value(key, value));
    }
    for (const auto& [epoch, tally] : ring.epochs()) {
      Statement& rows = sql_->forget_epoch.bind(epoch);
      for (;;) {
        PGA_TRY(const bool found, rows.step());
        if (!found) break;
        tally_.waiting_batches -= 1;
        tally_.waiting_documents -= rows.count(0);
        tally_.waiting_bytes -= rows.count(1);
      }
      PGA_CHECK(sql_->forget_losses.bind(epoch).done());
      ledger_.put_epoch(tally_, tally);
    }
    std::map<std::int64_t, std::int64_t> carriers;  // of the ring's losses
    for (const auto& [place, entry] : ring.entries()) PGA_CHECK(adopt_entry(entry, out, carriers));
    PGA_CHECK(ledger_.settle(ring.settled()));  // before their rows grow
    for (const Ring::Ended& ended : ring.ended()) PGA_CHECK(adopt_end(ended));
    for (const Loss& loss : ring.losses()) {
      Loss moved = loss;
      PGA_TRY(moved.id, ledger_.add(loss));
      if (const auto carrier = carriers.find(loss.id); carrier != carriers.end())
        PGA_CHECK(ledger_.report({moved}, carrier->second));
    }
    PGA_CHECK(enforce_caps());
    return ledger_.fold(database_, tally_);
  });
}

Outcome DiskStore::adopt_entry(const Ring::Entry& entry, const PassOver& out, std::map<std::int64_t, std::int64_t>& carriers) {
  BatchRow row = entry.row;
  PGA_TRY(const auto there, find(row.key));
  if (there) {
    row = *there;  // its commit did reach the file
  } else {
    PGA_CHECK(insert(row, entry.body));
    if (entry.limbo) {
      ledger_.produced(tally_, row);
    } else {
      ledger_.waits(tally_, row);
    }
  }
  for (const Loss& loss : entry.told) {
    if (loss.id < 0) carriers[loss.id] = row.id;
  }
  PGA_CHECK(ledger_.report(entry.told, row.id));
  return out(row.key) ? sql_->mark.bind(row.id).done() : Outcome();
}

Outcome DiskStore::adopt_end(const Ring::Ended& ended) {
  PGA_TRY(auto row, find(ended.entry.row.key));
  if (!row && ended.entry.limbo) {
    row = ended.entry.row;
    PGA_CHECK(insert(*row, ""));
    ledger_.produced(tally_, *row);
  }
  if (!row) return {};
  if (!ended.reason.empty()) return lose(*row, ended.reason);
  PGA_CHECK(remove(*row));
  return ledger_.delivered(tally_, *row);
}

}  // namespace pganalytics::spool
