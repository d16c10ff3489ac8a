#include "core/spool/damaged_spool.h"

#include "core/spool/record.h"
#include "core/spool/witness.h"

#include <initializer_list>
#include <set>

namespace pganalytics::spool {
namespace {

using Kind = Column::Kind;

bool shaped(const Row& row, std::initializer_list<Kind> kinds) {
  if (row.columns.size() != kinds.size()) return false;
  std::size_t i = 0;
  for (const Kind kind : kinds) {
    if (row.columns[i++].kind != kind) return false;
  }
  return true;
}

constexpr Kind kNull = Kind::kNull, kInteger = Kind::kInteger, kText = Kind::kText, kBlob = Kind::kBlob;

std::uint64_t count(const Column& column) { return static_cast<std::uint64_t>(column.integer); }

// The tables in the order of tables.h. An INTEGER PRIMARY KEY is NULL in its row and stands in the cell.
void add_epoch(const Row& row, FoundRows& found) {
  const auto& c = row.columns;
  EpochTally epoch;
  epoch.epoch = c[0].bytes;
  epoch.collector_id = c[1].bytes;
  epoch.last_seq = count(c[2]);
  epoch.produced = count(c[3]);
  epoch.acknowledged = count(c[4]);
  epoch.lost = count(c[5]);
  if (crc_of(epoch) != c[6].integer) return;
  const auto known = found.epochs.find(epoch.epoch);
  if (known != found.epochs.end() && progress_of(known->second) >= progress_of(epoch)) return;
  found.epochs[epoch.epoch] = epoch;
}

void add_state(const Row& row, FoundRows& found) {
  const auto& c = row.columns;
  if (RecordCrc().add(c[0].bytes).add(c[1].bytes).add(c[2].bytes).value() != c[3].integer) return;
  found.states.emplace(std::pair(c[0].bytes, c[1].bytes), c[2].bytes);
}

void add_value(const Row& row, FoundRows& found) {
  const auto& c = row.columns;
  if (RecordCrc().add(c[0].bytes).add(c[1].bytes).value() != c[2].integer) return;
  found.values.emplace(c[0].bytes, c[1].bytes);
}

void add_loss(const Row& row, FoundRows& found) {
  const auto& c = row.columns;
  FoundLoss loss;
  loss.id = row.rowid;
  loss.reason = c[1].bytes;
  loss.epoch = c[2].bytes;
  loss.first_seq = count(c[3]);
  loss.last_seq = count(c[4]);
  loss.documents = count(c[5]);
  loss.first_unix_ns = c[6].integer;
  loss.last_unix_ns = c[7].integer;
  if (crc_of(loss) != c[9].integer) return;
  if (c[8].kind == kInteger) loss.carrier = c[8].integer;
  found.losses.emplace(loss.id, std::move(loss));
}

void add_home(const Row& row, FoundRows& found) {
  const auto& c = row.columns;
  Home home{c[1].bytes, c[2].bytes, c[3].integer, c[4].integer};
  if (crc_of(home) == c[5].integer) found.home = std::move(home);
}

bool is_loss(const Row& row) {
  return shaped(row, {kNull, kText, kText, kInteger, kInteger, kInteger, kInteger, kInteger, kNull, kInteger}) ||
         shaped(row, {kNull, kText, kText, kInteger, kInteger, kInteger, kInteger, kInteger, kInteger, kInteger});
}

std::optional<BatchRow> batch_of(const Row& row) {
  const auto& c = row.columns;
  if (!shaped(row, {kNull, kInteger, kText, kInteger, kText, kText, kInteger, kInteger, kInteger, kInteger, kText, kInteger,
                    kInteger, kInteger, kBlob})) {
    return std::nullopt;
  }
  BatchRow batch;
  batch.id = row.rowid;
  batch.position = c[1].integer;
  batch.key = {c[2].bytes, count(c[3]), c[4].bytes};
  batch.plugin = c[5].bytes;
  batch.documents = count(c[6]);
  batch.first_unix_ns = c[7].integer;
  batch.last_unix_ns = c[8].integer;
  batch.sealed_ns = c[9].integer;
  batch.encoding = c[10].bytes;
  batch.body_crc = c[11].integer;
  batch.bytes = count(c[13]);
  return record_crc_of(batch) == c[12].integer ? std::optional(std::move(batch)) : std::nullopt;
}

}  // namespace

FoundRows find_rows(const Pages& pages) {
  FoundRows found;
  for_each_row(pages, [&](Row& row) {
    if (shaped(row, {kText, kText, kInteger, kInteger, kInteger, kInteger, kInteger})) add_epoch(row, found);
    if (shaped(row, {kText, kText, kBlob, kInteger})) add_state(row, found);
    if (shaped(row, {kText, kBlob, kInteger})) add_value(row, found);
    if (is_loss(row)) add_loss(row, found);
    if (shaped(row, {kNull, kText, kText, kInteger, kInteger, kInteger})) add_home(row, found);
    if (shaped(row, {kNull})) found.tried.push_back(row.rowid);
  });
  return found;
}

void find_batches(const Pages& pages,
                  const std::function<void(const BatchRow&, const std::function<bool(std::string&)>&)>& each) {
  std::set<BatchKey> known;
  for_each_row(pages, [&](Row& row) {
    const auto batch = batch_of(row);
    if (!batch || !known.insert(batch->key).second) return;
    each(*batch, [&](std::string& body) {
      return row.columns.back().bytes_size == batch->bytes && row.read_last(body) && crc32_of(body) == batch->body_crc;
    });
  });
}

}  // namespace pganalytics::spool
