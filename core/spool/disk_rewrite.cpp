// DiskStore: batches that get other keys. Halves of one that is too large, one that is sealed again in another epoch, all of them
// for another collector. The documents stay byte for byte what they were.
#include "core/spool/disk_statements.h"

namespace pganalytics::spool {
namespace {

constexpr std::size_t kEnvelopeBytesMax = std::size_t{1} << 30;  // what an own batch may expand to

std::string array_of(const std::vector<std::string_view>& documents) {
  std::string text = "[";
  for (const std::string_view document : documents) {
    if (text.size() > 1) text += ',';
    text += document;
  }
  return text + "]";
}

}  // namespace

Expected<std::string> DiskStore::envelope_bytes(const BatchKey& key, std::string_view metrics) const {
  return compression::compress(options_.encoding,
                               wrap_metrics({options_.collector_id, options_.hostname, options_.version, key}, metrics));
}

Expected<bool> DiskStore::split(const BatchKey& key) {
  PGA_TRY(const BatchRow whole, waiting(key));
  PGA_TRY(const Batch batch, read(whole));
  PGA_TRY(const std::string envelope, compression::expand(batch.encoding, batch.body, kEnvelopeBytesMax));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  const std::vector<std::string_view> documents = documents_of(metrics);
  if (documents.size() < 2 || key.depth() == kPartDepthMax) return false;
  const auto middle = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2);
  const std::array<std::vector<std::string_view>, 2> halves = {std::vector<std::string_view>(documents.begin(), middle),
                                                               std::vector<std::string_view>(middle, documents.end())};
  const Outcome done = transact([&]() -> Outcome {
    PGA_CHECK(remove(whole));
    std::array<BatchRow, 2> rows;
    for (std::size_t i = 0; i < 2; ++i) {
      const BatchKey part{key.epoch, key.seq, key.part + (key.part.empty() ? "" : "/") + std::to_string(i)};
      rows[i] = fresh(part, halves[i], whole.first_unix_ns);
      rows[i].plugin = whole.plugin;
      rows[i].position = whole.position;
      rows[i].sealed_ns = whole.sealed_ns;
      PGA_TRY(const std::string body, envelope_bytes(part, array_of(halves[i])));
      PGA_CHECK(insert(rows[i], body));
    }
    ledger_.halved(tally_, whole, rows[0], rows[1]);
    // What it was to report stands in the first document of a run that reports.
    return ledger_.move_carrier(whole.id, rows[0].id);
  });
  if (!done) return done.error();
  ended(key);
  return true;
}

Outcome DiskStore::rekey(const BatchKey& key) {
  PGA_TRY(const BatchRow row, waiting(key));
  const Outcome done = transact([&]() -> Outcome {
    if (key.epoch == tally_.current) {
      ledger_.begin_epoch(tally_, options_.collector_id);
      PGA_CHECK(save_home());
    }
    return seal_again(row);
  });
  if (!done) return done.error();
  ended(key);
  return {};
}

// In the epoch that grows, in its old place.
Outcome DiskStore::seal_again(const BatchRow& row) {
  PGA_TRY(const Batch batch, read(row));
  PGA_TRY(const std::string envelope, compression::expand(batch.encoding, batch.body, kEnvelopeBytesMax));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  BatchRow again = row;
  again.key = {tally_.current, tally_.growing().last_seq + 1, ""};
  again.encoding = compression::content_encoding(options_.encoding);
  PGA_TRY(const std::string body, envelope_bytes(again.key, metrics));
  PGA_CHECK(remove(row));
  PGA_CHECK(insert(again, body));
  PGA_CHECK(ledger_.move_carrier(row.id, again.id));
  ledger_.moved(tally_, row, again);
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
