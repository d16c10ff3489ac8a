// DiskStore: what may stay. The oldest go first; never what the server may have, and not the newest, so that live data flow even
// when the disk is tight.
#include "core/spool/disk_statements.h"
#include "core/spool/free_space.h"
#include "core/spool/wal.h"

#include "core/log/log.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>

namespace pganalytics::spool {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr int kVacuumSteps = 8;  // of 1024 pages, after one commit: runs that wait meanwhile do so in memory

// What the file takes of the disk, holes left out.
std::uint64_t disk_bytes_of(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? static_cast<std::uint64_t>(file.st_blocks) * 512 : 0;
}

Expected<std::uint64_t> number_of(Database& database, const char* pragma) {
  PGA_TRY(Statement row, database.prepare(pragma));
  PGA_CHECK(row.step());
  return row.count(0);
}

bool nobody(const BatchKey&) { return false; }

}  // namespace

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
    PGA_TRY(const std::uint64_t dropped, drop_oldest("size", nobody));
    if (dropped == 0) break;
  }
  std::uint64_t missing = 0;
  if (tally_.waiting_batches > 1) {
    PGA_TRY(missing, missing_bytes());
  }
  while (missing > 0) {
    PGA_TRY(const std::uint64_t dropped, drop_oldest("space", nobody));
    if (dropped == 0) break;
    missing -= std::min(missing, dropped);
  }
  return {};
}

// Bytes it freed; 0 when nothing may go.
Expected<std::uint64_t> DiskStore::drop_oldest(const char* reason, const PassOver& spared) {
  Statement& rows = sql_->droppable.bind(tally_.position);
  auto row = next_row(rows);
  while (row && *row && spared((*row)->key)) row = next_row(rows);
  rows.reset();
  if (!row) return row.error();
  if (!*row) return std::uint64_t{0};
  PGA_CHECK(lose(**row, reason));
  return std::max<std::uint64_t>((*row)->bytes, 1);
}

// One at a time, and the log is emptied after each: what is deleted is overwritten first, which takes as much room in the log.
Expected<bool> DiskStore::make_room(std::uint64_t bytes, const PassOver& spared) {
  PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  std::uint64_t freed = 0;
  for (std::uint64_t one = 1; freed < bytes && one > 0; freed += one) {
    const Outcome dropped = transact([&]() -> Outcome {
      PGA_TRY(one, drop_oldest("space", spared));
      return {};
    });
    if (!dropped) return dropped.error();
    PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA incremental_vacuum(256); PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  return freed > 0;
}

bool DiskStore::below_floor() const {
  const auto disk = free_space(dir_, options_.keep_free_bytes);
  return disk && disk->missing_bytes() > 0;  // not known: no reason to do anything
}

// How far the disk stays below the floor when all that was deleted before has gone back to it: the file and its log shrink later
// than their content.
Expected<std::uint64_t> DiskStore::missing_bytes() {
  const auto disk = free_space(dir_, options_.keep_free_bytes);
  const std::uint64_t missing = disk ? disk->missing_bytes() : 0;
  if (missing == 0) return missing;
  PGA_TRY(const std::uint64_t pages, number_of(database_, "PRAGMA page_count"));
  PGA_TRY(const std::uint64_t unused, number_of(database_, "PRAGMA freelist_count"));
  const std::uint64_t used = (pages - std::min(pages, unused)) * kPageBytes;
  const std::uint64_t taken = disk_bytes_of(database_.path()) + disk_bytes_of(database_.path() + "-wal");
  const std::uint64_t returning = taken - std::min(taken, used);
  return missing - std::min(missing, returning);
}

// Deleted pages go back to the file system, a bounded number at a time; otherwise the file keeps its largest size for ever. What
// was done before is committed: that this failed is worth a word only, and a disk that fails says so at the next commit.
void DiskStore::give_space_back() {
  Outcome given;
  for (int step = 0; given && step < kVacuumSteps; ++step) {
    const auto unused = number_of(database_, "PRAGMA freelist_count");
    if (unused && *unused == 0) return;
    given = unused ? database_.run("PRAGMA incremental_vacuum(1024)") : Outcome(unused.error());
    if (!given || !below_floor()) break;
    given = database_.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  if (!given) log::write(log::Level::kDebug, "the spool's file does not shrink", given.error());
}

}  // namespace pganalytics::spool
