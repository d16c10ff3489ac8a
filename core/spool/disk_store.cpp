#include "core/spool/disk_store.h"

#include "core/log/log.h"
#include "core/spool/backup.h"
#include "core/spool/disk_statements.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"
#include "core/spool/spool_view.h"

#include <algorithm>
#include <limits>

namespace pganalytics::spool {
namespace {

constexpr std::int64_t kSaveHomeEveryNs = 60'000'000'000;

std::string select(const char* rest) { return std::string("SELECT ") + kBatchColumns + " FROM batch b " + rest; }

}  // namespace

Expected<std::unique_ptr<DiskStore::Statements>> DiskStore::Statements::prepare(Database& db) {
  auto all = std::make_unique<Statements>();
  PGA_TRY(all->insert_batch,
          db.prepare(
              "INSERT INTO batch (position, epoch, seq, part, plugin, documents, first_unix_ns, last_unix_ns, sealed_ns,"
              " encoding, crc32, record_crc, body_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"));
  PGA_TRY(all->find, db.prepare(select("WHERE b.epoch = ? AND b.seq = ? AND b.part = ?").c_str()));
  PGA_TRY(all->oldest, db.prepare(select("ORDER BY b.position, b.part").c_str()));
  PGA_TRY(all->newest, db.prepare(select("ORDER BY b.position DESC, b.part DESC").c_str()));
  PGA_TRY(all->tried, db.prepare(select("JOIN tried t ON t.batch = b.id ORDER BY b.position, b.part").c_str()));
  PGA_TRY(all->droppable, db.prepare(select("WHERE b.position < ? AND NOT EXISTS (SELECT 1 FROM tried t WHERE t.batch = b.id)"
                                            " ORDER BY b.position, b.part")
                                         .c_str()));
  PGA_TRY(all->elsewhere, db.prepare(select("WHERE b.epoch <> ? ORDER BY b.position, b.part LIMIT 1").c_str()));
  PGA_TRY(all->body, db.prepare("SELECT body FROM batch WHERE id = ?"));
  PGA_TRY(all->remove, db.prepare("DELETE FROM batch WHERE id = ?"));
  PGA_TRY(all->mark, db.prepare("INSERT INTO tried (batch) VALUES (?) ON CONFLICT (batch) DO NOTHING"));
  PGA_TRY(all->unmark, db.prepare("DELETE FROM tried WHERE batch = ?"));
  PGA_TRY(all->set_state, db.prepare("INSERT INTO state (plugin, key, value, crc) VALUES (?, ?, ?, ?)"
                                     " ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value, crc = excluded.crc"));
  PGA_TRY(all->delete_state, db.prepare("DELETE FROM state WHERE plugin = ? AND key = ?"));
  PGA_TRY(all->set_value, db.prepare("INSERT INTO value (key, value, crc) VALUES (?, ?, ?)"
                                     " ON CONFLICT (key) DO UPDATE SET value = excluded.value, crc = excluded.crc"));
  PGA_TRY(all->remove_value, db.prepare("DELETE FROM value WHERE key = ?"));
  PGA_TRY(all->set_home,
          db.prepare("INSERT INTO spool (id, epoch, home, clock_ns, wall_ns, crc) VALUES (1, ?1, ?2, ?3, ?4, ?5)"
                     " ON CONFLICT (id) DO UPDATE SET epoch = ?1, home = ?2, clock_ns = ?3, wall_ns = ?4, crc = ?5"));
  PGA_TRY(all->forget_epoch, db.prepare("DELETE FROM batch WHERE epoch = ? RETURNING documents, body_bytes"));
  PGA_TRY(all->forget_losses, db.prepare("DELETE FROM loss WHERE epoch = ?"));
  return all;
}

DiskStore::DiskStore(std::string dir, const SpoolOptions& options, Database&& database, std::optional<Witness>&& witness,
                     Ledger&& ledger, std::unique_ptr<Statements> statements)
    : dir_(std::move(dir)),
      options_(options),
      database_(std::move(database)),
      witness_(std::move(witness)),
      ledger_(std::move(ledger)),
      sql_(std::move(statements)) {}

DiskStore::~DiskStore() = default;

Expected<std::unique_ptr<DiskStore>> DiskStore::open(const std::string& dir, const SpoolOptions& options, Access access) {
  const auto with = [&](Database&& database, std::optional<Witness>&& witness) -> Expected<std::unique_ptr<DiskStore>> {
    PGA_TRY(Ledger ledger, Ledger::open(database));
    PGA_TRY(auto statements, Statements::prepare(database));
    std::unique_ptr<DiskStore> store(
        new DiskStore(dir, options, std::move(database), std::move(witness), std::move(ledger), std::move(statements)));
    PGA_CHECK(access == Access::kWrite ? store->begin() : store->begin_reading());
    return store;
  };
  if (access == Access::kRead) {
    PGA_TRY(Database database, open_for_reading(database_path(dir)));
    return with(std::move(database), std::nullopt);
  }
  PGA_TRY(Opened opened, open_sound(dir, options.collector_id, options.clock->unix_ns()));
  return with(std::move(opened.database), std::move(opened.witness));
}

// The spool's clock goes by the monotonic one while the spool is open, by the wall's in between: a wall clock that is set while
// the collector runs makes nothing old.
std::int64_t DiskStore::now_ns() const { return clock_ns_ + (options_.clock->monotonic_ns() - clock_since_ns_); }

Outcome DiskStore::begin() {
  // A short log, in pages: on a disk that fills up, copying it into the file needs room of its own.
  PGA_CHECK(database_.run("PRAGMA wal_autocheckpoint = 128"));
  home_ = home_of(database_path(dir_));
  place_ = place_of(database_path(dir_));
  PGA_TRY(auto kept, read_home(database_));
  const std::int64_t wall_ns = options_.clock->unix_ns();
  clock_since_ns_ = options_.clock->monotonic_ns();
  clock_ns_ = kept ? kept->clock_ns + std::max<std::int64_t>(0, wall_ns - kept->wall_ns) : wall_ns;
  if (kept) {
    PGA_TRY(tally_, ledger_.load(database_, kept->epoch));
  }
  PGA_TRY(const auto all_values, values());
  const bool restored = all_values.count(kRestoredValue) != 0;
  return transact([&]() -> Outcome {
    if (!kept) {
      ledger_.begin_epoch(tally_, options_.collector_id);
    } else if (tally_.growing().collector_id != options_.collector_id) {
      PGA_CHECK(begin_again());
    } else if (kept->home != home_ || restored) {
      log::warn("the spool " + database_path(dir_) + " is a copy or was moved: new batches get an epoch of their own");
      ledger_.begin_epoch(tally_, options_.collector_id);
    }
    if (restored) PGA_CHECK(write_value(kRestoredValue, std::nullopt));
    PGA_CHECK(ledger_.fold(database_, tally_));
    return save_home();
  });
}

Outcome DiskStore::begin_reading() {
  PGA_TRY(auto kept, read_home(database_));
  if (!kept) return damaged("a spool without its own row");
  home_ = home_of(database_path(dir_));
  place_ = place_of(database_path(dir_));
  clock_since_ns_ = options_.clock->monotonic_ns();
  clock_ns_ = kept->clock_ns + std::max<std::int64_t>(0, options_.clock->unix_ns() - kept->wall_ns);
  PGA_TRY(tally_, ledger_.load(database_, kept->epoch));
  return {};
}

Outcome DiskStore::save_home() {
  const Home home{tally_.current, home_, now_ns(), options_.clock->unix_ns()};
  PGA_CHECK(sql_->set_home.bind(home.epoch).bind(home.home).bind(home.clock_ns).bind(home.wall_ns).bind(crc_of(home)).done());
  home_saved_ns_ = home.clock_ns;
  return {};
}

bool DiskStore::in_place() const { return place_of(database_path(dir_)) == place_; }

Outcome DiskStore::can_be_put_back() const {
  if (file_system_of(dir_) != place_.device) {
    return Error{PGA_E_FAIL, "spool.gone", "what was mounted at " + dir_ + " is gone",
                 "Mount it again, or restart the collector to begin a new spool there.", 0};
  }
  return {};
}

Outcome DiskStore::put_back() { return write_whole(database_, database_path(dir_)); }

// Sealing --------------------------------------------------------------------------------------------------------------------

Outcome DiskStore::write(std::vector<Write>& writes) {
  const auto lost = [&] { return status_of(tally_, 0).lost_documents; };
  const std::uint64_t lost_before = lost();
  const Outcome done = transact([&]() -> Outcome {
    for (Write& one : writes) PGA_CHECK(write_one(one));
    PGA_CHECK(enforce_age());
    PGA_CHECK(enforce_caps());
    return now_ns() - home_saved_ns_ > kSaveHomeEveryNs ? save_home() : Outcome();
  });
  if (!done) return done;
  if (lost() != lost_before || below_floor()) give_space_back();
  return {};
}

Outcome DiskStore::write_one(Write& write) {
  PGA_CHECK(write_state(write.run));
  for (const auto& [key, value] : write.values) PGA_CHECK(write_value(key, value));
  return write.has_batch() ? write_batch(write) : Outcome();
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

Outcome DiskStore::write_value(const std::string& key, const std::optional<std::string>& value) {
  if (!value) return sql_->remove_value.bind(key).done();
  const std::int64_t crc = RecordCrc().add(key).add(*value).value();
  return sql_->set_value.bind(key).bind_blob(*value).bind(crc).done();
}

// A transaction numbers its runs one after the other, so that the last number says how far the file has come.
bool DiskStore::has_committed(const BatchKey& key) const {
  const auto epoch = tally_.epochs.find(key.epoch);
  return epoch != tally_.epochs.end() && epoch->second.last_seq >= key.seq;
}

// A run whose commit failed before comes with its number. If that commit reached the file after all, it waits there, or the same
// transaction dropped it and counted it.
Outcome DiskStore::write_batch(Write& write) {
  if (!write.has_key()) {
    prepare(write, {tally_.current, tally_.growing().last_seq + 1, ""}, tally_.position + 1, now_ns(), options_);
  } else if (has_committed(write.row.key)) {
    return {};
  }
  PGA_CHECK(insert(write.row, write.body));
  ledger_.produced(tally_, write.row);
  PGA_CHECK(ledger_.report(write.run.reported_losses, write.row.id));
  return write.given_up > 0 ? lose(write.row, "memory") : Outcome();
}

Outcome DiskStore::insert(BatchRow& row, std::string_view body) {
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

// Reading --------------------------------------------------------------------------------------------------------------------

Expected<std::map<std::string, std::map<std::string, std::string>>> DiskStore::states() {
  PGA_TRY(Statement rows, database_.prepare("SELECT plugin, key, value, crc FROM state"));
  std::map<std::string, std::map<std::string, std::string>> states;
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return states;
    std::string plugin = rows.bytes(0), key = rows.bytes(1), value = rows.bytes(2);
    if (RecordCrc().add(plugin).add(key).add(value).value() != rows.integer(3)) return damaged("the state of plugin " + plugin);
    states[plugin].emplace(std::move(key), std::move(value));
  }
}

Expected<std::map<std::string, std::string>> DiskStore::values() {
  PGA_TRY(Statement rows, database_.prepare("SELECT key, value, crc FROM value"));
  std::map<std::string, std::string> values;
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return values;
    std::string key = rows.bytes(0), value = rows.bytes(1);
    if (RecordCrc().add(key).add(value).value() != rows.integer(2)) return damaged("the value " + key);
    values.emplace(std::move(key), std::move(value));
  }
}

Expected<SpoolStatus> DiskStore::status() {
  PGA_TRY(const auto oldest, only_row(sql_->oldest));
  return status_of(tally_, oldest ? oldest->first_unix_ns : 0);
}

}  // namespace pganalytics::spool
