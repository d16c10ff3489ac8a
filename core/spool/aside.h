// Where damaged spools go: kept beside the new one for whoever wants to look, never read again, and never many.
//
// <dir>/spool.db.damaged-<unix seconds>, with -wal behind it for its log. At most kAsideFilesMax of them, kAsideBytesMax in all,
// for kAsideDays; what is too large is cut. Private to core/spool. [any thread; the caller holds the spool's lock]
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

constexpr std::int64_t kAsideBytesMax = 8 << 20;
constexpr std::size_t kAsideFilesMax = 8;
constexpr int kAsideDays = 7;

// <dir>/spool.db and its log get out of the way. Returns the new name; "" when there was none.
Expected<std::string> move_aside(const std::string& dir, std::int64_t unix_ns);
// Keeps the limits. What cannot be removed is left for the next time.
void prune_aside(const std::string& dir, std::int64_t unix_ns);

}  // namespace pganalytics::spool
