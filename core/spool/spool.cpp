#include "core/spool/spool.h"

#include "core/files/files.h"
#include "core/spool/envelope.h"
#include "core/spool/ledger.h"
#include "core/spool/spool_file.h"
#include "core/spool/spool_lock.h"
#include "core/spool/spool_view.h"

#include <sys/statvfs.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <mutex>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kEnvelopeBytesMax = std::size_t{1} << 30;  // what an own batch may expand to when it is sealed again
constexpr std::uint64_t kVacuumEvery = 64;                       // acknowledged batches
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::int64_t crc32_of(std::string_view bytes) {
  return static_cast<std::int64_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Prepared once. All are used under the spool's mutex.
struct Statements {
  Statement insert_batch, read_batch, reseal, set_state, delete_state, states, value, set_value, remove_value;
};

Expected<Statements> prepare(Database& db) {
  PGA_TRY(Statement insert_batch,
          db.prepare("INSERT INTO batch (seq, plugin, documents, first_unix_ns, last_unix_ns, sealed_unix_ns,"
                     " encoding, crc32, body_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  PGA_TRY(Statement read_batch, db.prepare("SELECT plugin, documents, first_unix_ns, last_unix_ns, encoding, crc32, body"
                                           " FROM batch WHERE seq = ?"));
  PGA_TRY(Statement reseal,
          db.prepare("UPDATE batch SET seq = ?, encoding = ?, crc32 = ?, body_bytes = ?, body = ? WHERE seq = ?"));
  PGA_TRY(Statement set_state, db.prepare("INSERT INTO state (plugin, key, value) VALUES (?, ?, ?)"
                                          " ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value"));
  PGA_TRY(Statement delete_state, db.prepare("DELETE FROM state WHERE plugin = ? AND key = ?"));
  PGA_TRY(Statement states, db.prepare(kSelectState));
  PGA_TRY(Statement value, db.prepare(kSelectValue));
  PGA_TRY(Statement set_value, db.prepare("INSERT INTO value (key, value) VALUES (?, ?)"
                                          " ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
  PGA_TRY(Statement remove_value, db.prepare("DELETE FROM value WHERE key = ?"));
  return Statements{std::move(insert_batch), std::move(read_batch),   std::move(reseal),
                    std::move(set_state),    std::move(delete_state), std::move(states),
                    std::move(value),        std::move(set_value),    std::move(remove_value)};
}

Error corrupt(std::uint64_t seq) {
  return Error{PGA_E_FAIL, "spool.corrupt_batch",
               "batch " + std::to_string(seq) + " does not have the checksum it was sealed with",
               "Check the disk and the memory of this machine.", 0};
}

}  // namespace

class Spool::Impl {
 public:
  static Expected<std::unique_ptr<Impl>> open(const std::string& dir, const SpoolOptions& options, SpoolLock&& lock);

  Impl(std::string dir, SpoolOptions options, SpoolLock&& lock, Database&& database, Ledger&& ledger, Statements&& statements)
      : dir_(std::move(dir)),
        options_(std::move(options)),
        lock_(std::move(lock)),
        database_(std::move(database)),
        ledger_(std::move(ledger)),
        sql_(std::move(statements)) {}

  Outcome begin();  // once, after construction: the epoch
  Expected<std::uint64_t> seal(SealedRun&& run);
  Expected<std::optional<Batch>> next();
  Outcome acknowledge(std::uint64_t seq);
  Outcome set_aside(std::uint64_t seq, const std::string& reason);
  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);
  Expected<std::optional<std::string>> value(const std::string& key);
  Outcome set_value(const std::string& key, const std::string& value);
  Outcome remove_value(const std::string& key);
  Expected<std::vector<Loss>> losses();
  Expected<SpoolStatus> status();
  void set_encoding(compression::Encoding encoding);
  void set_caps(const SpoolCaps& caps);

 private:
  Outcome insert(Tally& tally, const SealedRun& run);
  Outcome write_state(const SealedRun& run);
  Outcome enforce_age(Tally& tally);
  Outcome enforce_caps(Tally& tally);
  Expected<std::uint64_t> drop_oldest(Tally& tally, const char* reason);
  [[nodiscard]] std::uint64_t missing_bytes() const;
  Expected<Batch> read_batch(std::uint64_t seq);
  template <class End>
  Outcome finish(std::uint64_t seq, End&& end);
  Outcome begin_again(Tally& tally);
  Outcome seal_again(Tally& tally, Batch&& batch);
  Outcome give_space_back();
  [[nodiscard]] Sender sender(const Tally& tally, std::uint64_t seq) const {
    return {tally.collector_id, options_.hostname, options_.version, tally.epoch, seq};
  }

  std::mutex mutex_;
  std::string dir_;
  SpoolOptions options_;
  SpoolLock lock_;
  Database database_;
  Ledger ledger_;
  Statements sql_;
  Tally tally_;                  // as of the last commit
  std::uint64_t in_flight_ = 0;  // seq that next() gave out; 0: none
};

Expected<std::unique_ptr<Spool::Impl>> Spool::Impl::open(const std::string& dir, const SpoolOptions& options, SpoolLock&& lock) {
  PGA_TRY(Database database, open_database(database_path(dir)));
  PGA_TRY(Ledger ledger, Ledger::open(database));
  PGA_TRY(Statements statements, prepare(database));
  auto impl =
      std::make_unique<Impl>(dir, options, std::move(lock), std::move(database), std::move(ledger), std::move(statements));
  PGA_CHECK(impl->begin());
  return impl;
}

Outcome Spool::Impl::begin() {
  PGA_TRY(Transaction transaction, Transaction::begin(database_));
  PGA_TRY(std::optional<Tally> tally, ledger_.load(database_));
  if (!tally) {
    PGA_TRY(tally, ledger_.begin_epoch(options_.collector_id));
  } else if (tally->collector_id != options_.collector_id) {
    PGA_CHECK(begin_again(*tally));
  }
  PGA_CHECK(transaction.commit());
  tally_ = std::move(*tally);
  return {};
}

// The spool's collector id changed: a new epoch, into which whatever waits is sealed again.
Outcome Spool::Impl::begin_again(Tally& tally) {
  Tally old = tally;
  PGA_TRY(tally, ledger_.begin_epoch(options_.collector_id));
  for (std::uint64_t at = 0; old.waiting_batches > 0;) {
    PGA_TRY(const auto row, ledger_.oldest(at, kNoLimit, 0));
    if (!row) break;
    at = row->seq;
    auto batch = read_batch(row->seq);
    if (!batch) {
      PGA_CHECK(ledger_.lose(old, *row, "corrupt"));
      continue;
    }
    PGA_CHECK(seal_again(tally, std::move(batch).value()));
    old.produced -= row->documents;
    old.waiting_batches -= 1;
  }
  PGA_CHECK(ledger_.save(old));
  return ledger_.save(tally);
}

Outcome Spool::Impl::seal_again(Tally& tally, Batch&& batch) {
  PGA_TRY(const std::string envelope, compression::expand(batch.encoding, batch.body, kEnvelopeBytesMax));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  const std::uint64_t seq = tally.last_seq + 1;  // never above the old one: sealed again in order, from 1
  PGA_TRY(const std::string body, compression::compress(options_.encoding, wrap_metrics(sender(tally, seq), metrics)));
  PGA_CHECK(sql_.reseal.bind(static_cast<std::int64_t>(seq))
                .bind(compression::content_encoding(options_.encoding))
                .bind(crc32_of(body))
                .bind(static_cast<std::int64_t>(body.size()))
                .bind_blob(body)
                .bind(static_cast<std::int64_t>(batch.seq))
                .done());
  PGA_CHECK(ledger_.move_carrier(batch.seq, seq));
  tally.last_seq = seq;
  tally.produced += batch.documents;
  tally.waiting_batches += 1;
  tally.waiting_documents += batch.documents;
  tally.waiting_bytes += body.size();
  return {};
}

Expected<std::uint64_t> Spool::Impl::seal(SealedRun&& run) {
  const std::lock_guard guard(mutex_);
  Tally tally = tally_;
  PGA_TRY(Transaction transaction, Transaction::begin(database_));
  PGA_CHECK(write_state(run));
  if (!run.documents.empty()) PGA_CHECK(insert(tally, run));
  PGA_CHECK(enforce_age(tally));
  PGA_CHECK(enforce_caps(tally));
  PGA_CHECK(ledger_.save(tally));
  PGA_CHECK(transaction.commit());
  const bool dropped = tally.lost != tally_.lost;
  tally_ = tally;
  if (dropped) PGA_CHECK(give_space_back());
  return run.documents.empty() ? 0 : tally_.last_seq;
}

Outcome Spool::Impl::write_state(const SealedRun& run) {
  for (const auto& [key, value] : run.state) {
    if (value) {
      PGA_CHECK(sql_.set_state.bind(run.plugin).bind(key).bind_blob(*value).done());
    } else {
      PGA_CHECK(sql_.delete_state.bind(run.plugin).bind(key).done());
    }
  }
  return {};
}

Outcome Spool::Impl::insert(Tally& tally, const SealedRun& run) {
  const std::uint64_t seq = tally.last_seq + 1;
  PGA_TRY(const std::string body, compression::compress(options_.encoding, make_envelope(sender(tally, seq), run.documents)));
  const std::int64_t now = options_.clock->unix_ns();
  const auto [first, last] = time_span(run.documents, run.scheduled_unix_ns != 0 ? run.scheduled_unix_ns : now);
  PGA_CHECK(sql_.insert_batch.bind(static_cast<std::int64_t>(seq))
                .bind(run.plugin)
                .bind(static_cast<std::int64_t>(run.documents.size()))
                .bind(first)
                .bind(last)
                .bind(now)
                .bind(compression::content_encoding(options_.encoding))
                .bind(crc32_of(body))
                .bind(static_cast<std::int64_t>(body.size()))
                .bind_blob(body)
                .done());
  PGA_CHECK(ledger_.report(run.reported_losses, seq));
  tally.last_seq = seq;
  tally.produced += run.documents.size();
  tally.waiting_batches += 1;
  tally.waiting_documents += run.documents.size();
  tally.waiting_bytes += body.size();
  return {};
}

Outcome Spool::Impl::enforce_age(Tally& tally) {
  const std::int64_t cutoff = options_.clock->unix_ns() - options_.max_age_ms * 1'000'000;
  for (;;) {
    PGA_TRY(const auto row, ledger_.oldest(0, kNoLimit, in_flight_));
    if (!row || row->sealed_unix_ns >= cutoff) return {};
    PGA_CHECK(ledger_.lose(tally, *row, "age"));
  }
}

Outcome Spool::Impl::enforce_caps(Tally& tally) {
  while (tally.waiting_bytes > static_cast<std::uint64_t>(options_.max_bytes)) {
    PGA_TRY(const std::uint64_t dropped, drop_oldest(tally, "size"));
    if (dropped == 0) break;
  }
  for (std::uint64_t missing = tally.waiting_batches > 1 ? missing_bytes() : 0; missing > 0;) {
    PGA_TRY(const std::uint64_t dropped, drop_oldest(tally, "space"));
    if (dropped == 0) break;
    missing -= std::min(missing, dropped);
  }
  return {};
}

// Bytes it freed; 0 when nothing may go.
Expected<std::uint64_t> Spool::Impl::drop_oldest(Tally& tally, const char* reason) {
  PGA_TRY(const auto row, ledger_.oldest(0, tally.last_seq, in_flight_));
  if (!row) return std::uint64_t{0};
  PGA_CHECK(ledger_.lose(tally, *row, reason));
  return std::max<std::uint64_t>(row->bytes, 1);
}

// How far the disk is below the floor.
std::uint64_t Spool::Impl::missing_bytes() const {
  struct statvfs disk {};
  if (::statvfs(dir_.c_str(), &disk) != 0) return 0;  // not known: no reason to drop anything
  const std::uint64_t available = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto floor = static_cast<std::uint64_t>(options_.keep_free_bytes);
  return available < floor ? floor - available : 0;
}

// Deleted pages go back to the file system, a bounded number at a time; otherwise the file keeps its largest size for ever.
Outcome Spool::Impl::give_space_back() {
  PGA_CHECK(database_.run("PRAGMA incremental_vacuum(1024)"));
  if (missing_bytes() > 0) PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return {};
}

Expected<Batch> Spool::Impl::read_batch(std::uint64_t seq) {
  Statement& row = sql_.read_batch;
  PGA_TRY(const bool found, row.bind(static_cast<std::int64_t>(seq)).step());
  if (!found) return corrupt(seq);
  Batch batch;
  batch.epoch = tally_.epoch;
  batch.seq = seq;
  batch.plugin = row.bytes(0);
  batch.documents = static_cast<std::uint32_t>(row.count(1));
  batch.first_unix_ns = row.integer(2);
  batch.last_unix_ns = row.integer(3);
  auto encoding = compression::parse_content_encoding(row.bytes(4));
  const std::int64_t crc = row.integer(5);
  batch.body = row.bytes(6);
  row.reset();
  if (!encoding || crc32_of(batch.body) != crc) return corrupt(seq);
  batch.encoding = *encoding;
  return batch;
}

Expected<std::optional<Batch>> Spool::Impl::next() {
  for (;;) {
    std::optional<BatchRow> row;
    {
      const std::lock_guard guard(mutex_);
      if (in_flight_ == 0) {
        PGA_TRY(row, ledger_.oldest(0, kNoLimit, 0));
        if (!row) return std::optional<Batch>();
        in_flight_ = row->seq;
      }
      auto batch = read_batch(in_flight_);
      if (batch) return std::optional(std::move(batch).value());
      if (batch.error().code != "spool.corrupt_batch") return std::move(batch).error();
    }
    PGA_CHECK(set_aside(in_flight_, "corrupt"));
  }
}

Outcome Spool::Impl::acknowledge(std::uint64_t seq) {
  return finish(seq, [&](Tally& tally, const BatchRow& batch) { return ledger_.delivered(tally, batch); });
}

Outcome Spool::Impl::set_aside(std::uint64_t seq, const std::string& reason) {
  return finish(seq, [&](Tally& tally, const BatchRow& batch) { return ledger_.lose(tally, batch, reason); });
}

// The end of a waiting batch, whichever it is, as one transaction.
template <class End>
Outcome Spool::Impl::finish(std::uint64_t seq, End&& end) {
  const std::lock_guard guard(mutex_);
  Tally tally = tally_;
  PGA_TRY(Transaction transaction, Transaction::begin(database_));
  PGA_TRY(const auto row, ledger_.oldest(seq - 1, seq + 1, 0));
  if (!row) return Error{PGA_E_NOTFOUND, "spool.batch", "no batch " + std::to_string(seq) + " waits in the spool", "", 0};
  PGA_CHECK(end(tally, *row));
  PGA_CHECK(ledger_.save(tally));
  PGA_CHECK(transaction.commit());
  tally_ = tally;
  if (in_flight_ == seq) in_flight_ = 0;
  if (seq % kVacuumEvery == 0) PGA_CHECK(give_space_back());
  return {};
}

Expected<std::map<std::string, std::string>> Spool::Impl::state_of(const std::string& plugin) {
  const std::lock_guard guard(mutex_);
  return read_state(sql_.states, plugin);
}

Expected<std::optional<std::string>> Spool::Impl::value(const std::string& key) {
  const std::lock_guard guard(mutex_);
  return read_value(sql_.value, key);
}

Outcome Spool::Impl::set_value(const std::string& key, const std::string& value) {
  const std::lock_guard guard(mutex_);
  return sql_.set_value.bind(key).bind_blob(value).done();
}

Outcome Spool::Impl::remove_value(const std::string& key) {
  const std::lock_guard guard(mutex_);
  return sql_.remove_value.bind(key).done();
}

Expected<std::vector<Loss>> Spool::Impl::losses() {
  const std::lock_guard guard(mutex_);
  return ledger_.unreported();
}

Expected<SpoolStatus> Spool::Impl::status() {
  const std::lock_guard guard(mutex_);
  return status_of(tally_, ledger_);
}

void Spool::Impl::set_encoding(compression::Encoding encoding) {
  const std::lock_guard guard(mutex_);
  options_.encoding = encoding;
}

void Spool::Impl::set_caps(const SpoolCaps& caps) {
  const std::lock_guard guard(mutex_);
  static_cast<SpoolCaps&>(options_) = caps;
}

Expected<std::unique_ptr<Spool>> Spool::open(const std::string& dir, const SpoolOptions& options) {
  PGA_CHECK(files::make_directories(dir, 0700));
  for (bool second = false;; second = true) {
    PGA_TRY(SpoolLock lock, SpoolLock::take(dir));
    auto impl = Impl::open(dir, options, std::move(lock));
    if (impl) return std::unique_ptr<Spool>(new Spool(std::move(impl).value()));
    if (impl.error().code != "spool.corrupt" || second) return std::move(impl).error();
    move_aside(database_path(dir), options.clock->unix_ns());
  }
}

Spool::Spool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Spool::~Spool() = default;
Expected<std::uint64_t> Spool::seal(SealedRun&& run) { return impl_->seal(std::move(run)); }
Expected<std::map<std::string, std::string>> Spool::state_of(const std::string& plugin) { return impl_->state_of(plugin); }
Expected<std::optional<Batch>> Spool::next() { return impl_->next(); }
Outcome Spool::acknowledge(std::uint64_t seq) { return impl_->acknowledge(seq); }
Outcome Spool::set_aside(std::uint64_t seq, const std::string& reason) { return impl_->set_aside(seq, reason); }
Expected<std::vector<Loss>> Spool::losses() { return impl_->losses(); }
Expected<std::optional<std::string>> Spool::value(const std::string& key) { return impl_->value(key); }
Outcome Spool::set_value(const std::string& key, const std::string& value) { return impl_->set_value(key, value); }
Outcome Spool::remove_value(const std::string& key) { return impl_->remove_value(key); }
Expected<SpoolStatus> Spool::status() { return impl_->status(); }
void Spool::set_encoding(compression::Encoding encoding) { impl_->set_encoding(encoding); }
void Spool::set_caps(const SpoolCaps& caps) { impl_->set_caps(caps); }

}  // namespace pganalytics::spool
