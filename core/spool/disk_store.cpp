#include "core/spool/disk_store.h"

#include "core/log/log.h"
#include "core/spool/disk_statements.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"
#include "core/spool/spool_view.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <limits>
#include <tuple>

namespace pganalytics::spool {
namespace {

constexpr std::uint64_t kVacuumEvery = 64;  // ended batches
constexpr std::int64_t kNsPerMs = 1'000'000;

std::size_t index_of(Lane lane) { return lane == Lane::kLive ? 0 : 1; }

std::string select(const char* rest) { return std::string("SELECT ") + kBatchColumns + " FROM batch b " + rest; }

}  // namespace

Expected<std::unique_ptr<DiskStore::Statements>> DiskStore::Statements::prepare(Database& db) {
  PGA_TRY(Statement insert_batch,
          db.prepare(
              "INSERT INTO batch (position, epoch, seq, part, plugin, documents, first_unix_ns, last_unix_ns, sealed_ns,"
              " encoding, crc32, record_crc, body_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"));
  PGA_TRY(Statement find, db.prepare(select("WHERE b.epoch = ? AND b.seq = ? AND b.part = ?").c_str()));
  PGA_TRY(Statement oldest, db.prepare(select("ORDER BY b.position, b.part").c_str()));
  PGA_TRY(Statement newest, db.prepare(select("ORDER BY b.position DESC, b.part DESC").c_str()));
  PGA_TRY(Statement tried, db.prepare(select("JOIN tried t ON t.batch = b.id ORDER BY b.position, b.part").c_str()));
  PGA_TRY(Statement droppable,
          db.prepare(select("WHERE b.position < ? AND NOT EXISTS (SELECT 1 FROM tried t WHERE t.batch = b.id)"
                            " ORDER BY b.position, b.part LIMIT 1")
                         .c_str()));
  PGA_TRY(Statement elsewhere, db.prepare(select("WHERE b.epoch <> ? ORDER BY b.position, b.part LIMIT 1").c_str()));
  PGA_TRY(Statement body, db.prepare("SELECT body FROM batch WHERE id = ?"));
  PGA_TRY(Statement remove, db.prepare("DELETE FROM batch WHERE id = ?"));
  PGA_TRY(Statement mark, db.prepare("INSERT INTO tried (batch) VALUES (?) ON CONFLICT (batch) DO NOTHING"));
  PGA_TRY(Statement unmark, db.prepare("DELETE FROM tried WHERE batch = ?"));
  PGA_TRY(Statement set_state, db.prepare("INSERT INTO state (plugin, key, value, crc) VALUES (?, ?, ?, ?)"
                                          " ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value, crc = excluded.crc"));
  PGA_TRY(Statement delete_state, db.prepare("DELETE FROM state WHERE plugin = ? AND key = ?"));
  PGA_TRY(Statement states, db.prepare(kSelectState));
  PGA_TRY(Statement value, db.prepare(kSelectValue));
  PGA_TRY(Statement set_value, db.prepare("INSERT INTO value (key, value, crc) VALUES (?, ?, ?)"
                                          " ON CONFLICT (key) DO UPDATE SET value = excluded.value, crc = excluded.crc"));
  PGA_TRY(Statement remove_value, db.prepare("DELETE FROM value WHERE key = ?"));
  PGA_TRY(Statement set_home,
          db.prepare("INSERT INTO spool (id, epoch, home, clock_ns, wall_ns, crc) VALUES (1, ?1, ?2, ?3, ?4, ?5)"
                     " ON CONFLICT (id) DO UPDATE SET epoch = ?1, home = ?2, clock_ns = ?3, wall_ns = ?4, crc = ?5"));
  return std::make_unique<Statements>(Statements{std::move(insert_batch), std::move(find), std::move(oldest), std::move(newest),
                                                 std::move(tried), std::move(droppable), std::move(elsewhere), std::move(body),
                                                 std::move(remove), std::move(mark), std::move(unmark), std::move(set_state),
                                                 std::move(delete_state), std::move(states), std::move(value),
                                                 std::move(set_value), std::move(remove_value), std::move(set_home)});
}

DiskStore::DiskStore(std::string dir, SpoolOptions options, Opened&& opened, Ledger&& ledger,
                     std::unique_ptr<Statements> statements)
    : dir_(std::move(dir)),
      options_(std::move(options)),
      database_(std::move(opened.database)),
      witness_(std::move(opened.witness)),
      ledger_(std::move(ledger)),
      sql_(std::move(statements)) {}

DiskStore::~DiskStore() = default;

Expected<std::unique_ptr<DiskStore>> DiskStore::open(const std::string& dir, const SpoolOptions& options) {
  PGA_TRY(Opened opened, open_sound(dir, options.collector_id, options.clock->unix_ns()));
  PGA_TRY(Ledger ledger, Ledger::open(opened.database));
  PGA_TRY(auto statements, Statements::prepare(opened.database));
  std::unique_ptr<DiskStore> store(new DiskStore(dir, options, std::move(opened), std::move(ledger), std::move(statements)));
  PGA_CHECK(store->begin());
  return store;
}

// Books ----------------------------------------------------------------------------------------------------------------------

Outcome DiskStore::begin() {
  const std::string home = home_of(database_path(dir_));
  PGA_TRY(auto kept, read_home(database_));
  const std::int64_t wall_ns = options_.clock->unix_ns();
  clock_since_ns_ = options_.clock->monotonic_ns();
  clock_ns_ = kept ? kept->clock_ns + std::max<std::int64_t>(0, wall_ns - kept->wall_ns) : wall_ns;
  PGA_TRY(Transaction transaction, Transaction::begin(database_));
  if (!kept) {
    ledger_.begin_epoch(tally_, options_.collector_id);
  } else {
    PGA_TRY(tally_, ledger_.load(database_, kept->epoch));
    if (tally_.growing().collector_id != options_.collector_id) {
      PGA_CHECK(begin_again());
    } else if (kept->home != home) {
      log::warn("the spool " + database_path(dir_) + " is a copy or was moved: new batches get an epoch of their own");
      ledger_.begin_epoch(tally_, options_.collector_id);
    }
  }
  PGA_CHECK(ledger_.save(tally_));
  PGA_CHECK(save_home());
  PGA_CHECK(transaction.commit());
  witness_.note(database_);
  return {};
}

Outcome DiskStore::save_home() {
  const Home home{tally_.current, home_of(database_path(dir_)), now_ns(), options_.clock->unix_ns()};
  return sql_->set_home.bind(home.epoch).bind(home.home).bind(home.clock_ns).bind(home.wall_ns).bind(crc_of(home)).done();
}

std::int64_t DiskStore::now_ns() const { return clock_ns_ + (options_.clock->monotonic_ns() - clock_since_ns_); }

// Sealing --------------------------------------------------------------------------------------------------------------------

Expected<std::uint64_t> DiskStore::seal(const SealedRun& run) {
  const auto before = tally_.waiting_batches;
  const Outcome done = transact([&]() -> Outcome {
    PGA_CHECK(write_state(run));
    if (!run.documents.empty()) PGA_CHECK(insert_run(run));
    PGA_CHECK(enforce_age());
    return enforce_caps();
  });
  if (!done) return done.error();
  if (tally_.waiting_batches <= before) PGA_CHECK(give_space_back());
  return run.documents.empty() ? 0 : tally_.growing().last_seq;
}

Outcome DiskStore::write_state(const SealedRun& run) {
  for (const auto& [key, value] : run.state) {
    if (value) {
      const std::int64_t crc = RecordCrc().add(run.plugin).add(key).add(*value).value();
      PGA_CHECK(sql_->set_state.bind(run.plugin).bind(key).bind_blob(*value).bind(crc).done());
    } else {
      PGA_CHECK(sql_->delete_state.bind(run.plugin).bind(key).done());
    }
  }
  return {};
}

Outcome DiskStore::insert_run(const SealedRun& run) {
  const BatchKey key{tally_.current, tally_.growing().last_seq + 1, ""};
  const std::vector<std::string_view> documents(run.documents.begin(), run.documents.end());
  BatchRow row = fresh(key, documents, run.scheduled_unix_ns != 0 ? run.scheduled_unix_ns : options_.clock->unix_ns());
  row.plugin = run.plugin;
  row.position = tally_.position + 1;
  row.sealed_ns = now_ns();
  PGA_TRY(const std::string body,
          compression::compress(options_.encoding,
                                make_envelope({options_.collector_id, options_.hostname, options_.version, key}, documents)));
  PGA_CHECK(insert(row, body));
  PGA_CHECK(ledger_.report(run.reported_losses, row.id));
  ledger_.produced(tally_, row);
  return {};
}

// What the documents say of themselves; place and bytes are the caller's.
BatchRow DiskStore::fresh(const BatchKey& key, const std::vector<std::string_view>& documents,
                          std::int64_t fallback_unix_ns) const {
  BatchRow row;
  row.key = key;
  row.documents = documents.size();
  std::tie(row.first_unix_ns, row.last_unix_ns) = time_span(documents, fallback_unix_ns);
  row.encoding = compression::content_encoding(options_.encoding);
  return row;
}

Outcome DiskStore::insert(BatchRow& row, std::string_view body) {
  row.bytes = body.size();
  row.body_crc = crc32_of(body);
  Statement& sql = sql_->insert_batch;
  PGA_CHECK(sql.bind(row.position)
                .bind(row.key.epoch)
                .bind(static_cast<std::int64_t>(row.key.seq))
                .bind(row.key.part)
                .bind(row.plugin)
                .bind(static_cast<std::int64_t>(row.documents))
                .bind(row.first_unix_ns)
                .bind(row.last_unix_ns)
                .bind(row.sealed_ns)
                .bind(row.encoding)
                .bind(row.body_crc)
                .bind(record_crc_of(row))
                .bind(static_cast<std::int64_t>(row.bytes))
                .bind_blob(body)
                .step());
  row.id = sql.integer(0);
  sql.reset();
  return {};
}

// Caps -----------------------------------------------------------------------------------------------------------------------

Outcome DiskStore::enforce_age() {
  const std::int64_t cutoff_ns = now_ns() - options_.max_age_ms * kNsPerMs;
  for (;;) {
    PGA_TRY(const auto row, only_row(sql_->droppable.bind(std::numeric_limits<std::int64_t>::max())));
    if (!row || row->sealed_ns >= cutoff_ns) return {};
    PGA_CHECK(lose(*row, "age"));
  }
}

Outcome DiskStore::enforce_caps() {
  while (tally_.waiting_bytes > static_cast<std::uint64_t>(options_.max_bytes)) {
    PGA_TRY(const std::uint64_t dropped, drop_oldest("size"));
    if (dropped == 0) break;
  }
  for (std::uint64_t missing = tally_.waiting_batches > 1 ? missing_bytes() : 0; missing > 0;) {
    PGA_TRY(const std::uint64_t dropped, drop_oldest("space"));
    if (dropped == 0) break;
    missing -= std::min(missing, dropped);
  }
  return {};
}

// Bytes it freed; 0 when nothing may go: the newest stays, and what the server may have.
Expected<std::uint64_t> DiskStore::drop_oldest(const char* reason) {
  PGA_TRY(const auto row, only_row(sql_->droppable.bind(tally_.position)));
  if (!row) return std::uint64_t{0};
  PGA_CHECK(lose(*row, reason));
  return std::max<std::uint64_t>(row->bytes, 1);
}

Outcome DiskStore::lose(const BatchRow& row, const std::string& reason) {
  PGA_CHECK(remove(row));
  return ledger_.lose(tally_, row, reason);
}

Outcome DiskStore::remove(const BatchRow& row) {
  PGA_CHECK(sql_->unmark.bind(row.id).done());
  return sql_->remove.bind(row.id).done();
}

// How far the disk is below the floor.
std::uint64_t DiskStore::missing_bytes() const {
  struct statvfs disk {};
  if (::statvfs(dir_.c_str(), &disk) != 0) return 0;  // not known: no reason to drop anything
  const std::uint64_t available = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto floor = static_cast<std::uint64_t>(options_.keep_free_bytes);
  return available < floor ? floor - available : 0;
}

// Deleted pages go back to the file system, a bounded number at a time; otherwise the file keeps its largest size for ever.
Outcome DiskStore::give_space_back() {
  PGA_CHECK(database_.run("PRAGMA incremental_vacuum(1024)"));
  if (missing_bytes() > 0) PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  return {};
}

// Lanes ----------------------------------------------------------------------------------------------------------------------

Expected<std::optional<BatchRow>> DiskStore::find(const BatchKey& key) {
  return only_row(sql_->find.bind(key.epoch).bind(static_cast<std::int64_t>(key.seq)).bind(key.part));
}

Expected<BatchRow> DiskStore::waiting(const BatchKey& key) {
  PGA_TRY(const auto row, find(key));
  if (row) return *row;
  return Error{PGA_E_NOTFOUND, "spool.batch", "no batch " + key.text() + " waits in the spool", "", 0};
}

// Those whose fate is not known first, then by the lane's order; what the other lane holds and what is held is passed over.
Expected<std::optional<BatchRow>> DiskStore::choose(Lane lane) {
  const auto& other = out_[1 - index_of(lane)];
  for (Statement* const order : {&sql_->tried, lane == Lane::kLive ? &sql_->newest : &sql_->oldest}) {
    order->reset();
    for (;;) {
      PGA_TRY(auto row, next_row(*order));
      if (!row) break;
      if (row->key == other || held_.count(row->key) != 0) continue;
      order->reset();
      return row;
    }
  }
  return std::optional<BatchRow>();
}

Expected<std::optional<Batch>> DiskStore::next(Lane lane) {
  auto& out = out_[index_of(lane)];
  for (;;) {
    std::optional<BatchRow> row;
    if (out) {
      PGA_TRY(row, find(*out));
      if (!row) out.reset();
    }
    if (!row) {
      PGA_TRY(row, choose(lane));
      if (!row) return std::optional<Batch>();
      PGA_CHECK(transact_unsynced([&] { return sql_->mark.bind(row->id).done(); }));
      out = row->key;
    }
    auto batch = read(*row);
    if (batch) return std::optional(std::move(batch).value());
    if (batch.error().code != "spool.corrupt_batch") return std::move(batch).error();
    PGA_CHECK(set_aside(row->key, "corrupt"));
  }
}

Expected<Batch> DiskStore::read(const BatchRow& row) {
  Statement& sql = sql_->body;
  PGA_TRY(const bool found, sql.bind(row.id).step());
  Batch batch{row.key, row.plugin, static_cast<std::uint32_t>(row.documents), row.first_unix_ns, row.last_unix_ns, {}, {}};
  if (found) batch.body = sql.bytes(0);
  sql.reset();
  auto encoding = compression::parse_content_encoding(row.encoding);
  if (!encoding || crc32_of(batch.body) != row.body_crc) {
    return Error{PGA_E_FAIL, "spool.corrupt_batch", "batch " + row.key.text() + " does not have the checksum it was sealed with",
                 "Check the disk and the memory of this machine.", 0};
  }
  batch.encoding = *encoding;
  return batch;
}

// Its lane may have another one.
void DiskStore::ended(const BatchKey& key) {
  for (auto& out : out_) {
    if (out == key) out.reset();
  }
  held_.erase(key);
}

Outcome DiskStore::hold(const BatchKey& key) {
  PGA_TRY(const BatchRow row, waiting(key));
  PGA_CHECK(transact_unsynced([&] { return sql_->unmark.bind(row.id).done(); }));
  ended(key);
  held_.insert(key);
  return {};
}

Outcome DiskStore::acknowledge(const BatchKey& key) {
  PGA_TRY(const BatchRow row, waiting(key));
  const Outcome done = transact([&]() -> Outcome {
    PGA_CHECK(remove(row));
    return ledger_.delivered(tally_, row);
  });
  if (!done) return done.error();
  ended(key);
  return ++ended_ % kVacuumEvery == 0 ? give_space_back() : Outcome();
}

Outcome DiskStore::set_aside(const BatchKey& key, const std::string& reason) {
  PGA_TRY(const BatchRow row, waiting(key));
  PGA_CHECK(transact([&] { return lose(row, reason); }));
  ended(key);
  return {};
}

// Values ---------------------------------------------------------------------------------------------------------------------

Outcome DiskStore::set_value(const std::string& key, const std::optional<std::string>& value) {
  if (!value) return sql_->remove_value.bind(key).done();
  const std::int64_t crc = RecordCrc().add(key).add(*value).value();
  return sql_->set_value.bind(key).bind_blob(*value).bind(crc).done();
}

Expected<std::map<std::string, std::string>> DiskStore::state_of(const std::string& plugin) {
  return read_state(sql_->states, plugin);
}

Expected<std::optional<std::string>> DiskStore::value(const std::string& key) { return read_value(sql_->value, key); }

Expected<SpoolStatus> DiskStore::status() {
  PGA_TRY(const auto oldest, only_row(sql_->oldest));
  return status_of(tally_, oldest ? oldest->first_unix_ns : 0);
}

}  // namespace pganalytics::spool
