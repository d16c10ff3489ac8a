// DiskStore: what may stay. The oldest go first; never what the server may have, and not the newest, so that live data flow even
// when the disk is tight.
#include "core/spool/disk_statements.h"

#include "core/log/log.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <limits>

namespace pganalytics::spool {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

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

// Bytes it freed; 0 when nothing may go.
Expected<std::uint64_t> DiskStore::drop_oldest(const char* reason) {
  PGA_TRY(const auto row, only_row(sql_->droppable.bind(tally_.position)));
  if (!row) return std::uint64_t{0};
  PGA_CHECK(lose(*row, reason));
  return std::max<std::uint64_t>(row->bytes, 1);
}

// One at a time, and the log is emptied after each: what is deleted is overwritten first, which takes as much room in the log.
Expected<bool> DiskStore::make_room(std::uint64_t bytes) {
  PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
  std::uint64_t freed = 0;
  for (std::uint64_t one = 1; freed < bytes && one > 0; freed += one) {
    const Outcome dropped = transact([&]() -> Outcome {
      PGA_TRY(one, drop_oldest("space"));
      return {};
    });
    if (!dropped) return dropped.error();
    PGA_CHECK(database_.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA incremental_vacuum(256); PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  return freed > 0;
}

// How far the disk is below the floor.
std::uint64_t DiskStore::missing_bytes() const {
  struct statvfs disk {};
  if (::statvfs(dir_.c_str(), &disk) != 0) return 0;  // not known: no reason to drop anything
  const std::uint64_t available = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto floor = static_cast<std::uint64_t>(options_.keep_free_bytes);
  return available < floor ? floor - available : 0;
}

// Deleted pages go back to the file system, a bounded number at a time; otherwise the file keeps its largest size for ever. What
// was done before is committed: that this failed is worth a word only, and a disk that fails says so at the next commit.
void DiskStore::give_space_back() {
  Outcome given = database_.run("PRAGMA incremental_vacuum(1024)");
  if (given && missing_bytes() > 0) given = database_.run("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!given) log::write(log::Level::kDebug, "the spool's file does not shrink", given.error());
}

}  // namespace pganalytics::spool
