// DiskStore: the ring's batches, its books and what ended meanwhile come back to the disk.
//
// All of it can be done twice: when the commit fails nobody knows whether it reached the file, and the next try finds either.
#include "core/spool/disk_statements.h"

#include <algorithm>

namespace pganalytics::spool {
namespace {

// Of what the ring sealed itself: behind all that the file has, which nobody could read when the first of it was sealed.
std::int64_t shift_of(const Ring& ring, std::int64_t position) {
  for (const auto& [place, entry] : ring.entries()) {
    if (!entry.limbo) return std::max<std::int64_t>(position + 1 - place.first, 0);
  }
  return 0;
}

}  // namespace

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
    PGA_TRY(const std::set<BatchKey> counted, counted_in_file(ring));
    const std::int64_t shift = shift_of(ring, tally_.position);
    for (const auto& [place, entry] : ring.entries()) {
      if (counted.count(entry.row.key) == 0) PGA_CHECK(adopt_entry(entry, entry.limbo ? 0 : shift, out, carriers));
    }
    PGA_CHECK(ledger_.settle(ring.settled()));  // before their rows grow
    for (const Ring::Ended& ended : ring.ended()) {
      if (counted.count(ended.entry.row.key) == 0) PGA_CHECK(adopt_end(ended));
    }
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

// Batches in limbo whose commit did reach the file, which does not have them any more: the same transaction dropped and counted
// them. The others wait there, or were never in it.
Expected<std::set<BatchKey>> DiskStore::counted_in_file(const Ring& ring) {
  std::set<BatchKey> counted;
  const auto look = [&](const Ring::Entry& entry) -> Outcome {
    if (!entry.limbo || !has_committed(entry.row.key)) return {};
    PGA_TRY(const auto there, find(entry.row.key));
    if (!there) counted.insert(entry.row.key);
    return {};
  };
  for (const auto& [place, entry] : ring.entries()) PGA_CHECK(look(entry));
  for (const Ring::Ended& ended : ring.ended()) PGA_CHECK(look(ended.entry));
  return counted;
}

Outcome DiskStore::adopt_entry(const Ring::Entry& entry, std::int64_t shift, const PassOver& out,
                               std::map<std::int64_t, std::int64_t>& carriers) {
  BatchRow row = entry.row;
  row.position += shift;
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
