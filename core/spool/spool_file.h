// The spool's database file: opened, made when absent, refused when newer, moved aside when damaged.
//
// Private to core/spool. Not here: what is stored (spool.cpp, ledger.cpp), reading beside a running collector (spool_view.cpp).
#pragma once

#include "core/spool/sqlite.h"

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

std::string database_path(const std::string& dir);

// Read and write, WAL, synchronous=FULL, with its tables. error.code "spool.corrupt" when SQLite cannot read it.
Expected<Database> open_database(const std::string& path);

// PGA_E_UNSUPPORTED with a HINT if a newer program made it.
Outcome check_format(Database& database, const std::string& path);

// Keep a file that SQLite cannot read for whoever wants to look, out of the way of a new one.
void move_aside(const std::string& path, std::int64_t unix_ns);

}  // namespace pganalytics::spool
