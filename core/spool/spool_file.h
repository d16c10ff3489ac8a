// The spool's database file: opened, made when absent, migrated when older, refused when newer.
//
// Private to core/spool. Not here: what is stored (disk_store.h, ledger.h), reading beside a running collector (spool_view.h),
// what a damaged one becomes (salvage.h).
#pragma once

#include "core/spool/sqlite.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

std::string database_path(const std::string& dir);

// Read and write, WAL, synchronous=FULL, with its tables. error.code "spool.corrupt" when SQLite cannot read it.
Expected<Database> open_database(const std::string& path);

// PGA_E_UNSUPPORTED with a HINT if a newer program made it.
Outcome check_format(Database& database, const std::string& path);

// Makes the tables of today out of those of format 1, in one transaction.
Outcome migrate(Database& database);

// The row of table spool.
struct Home {
  std::string epoch;  // that grows
  std::string home;
  std::int64_t clock_ns = 0, wall_ns = 0;
};
std::int64_t crc_of(const Home& home);
// nullopt: a file without one is new. error.code "spool.corrupt" if it is not as it was written.
Expected<std::optional<Home>> read_home(Database& database);
// Where a file lives: the machine, the device, the inode. A copy, or the file on a clone of its machine, lives elsewhere.
std::string home_of(const std::string& path);

}  // namespace pganalytics::spool
