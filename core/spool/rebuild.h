// A new spool made of what a damaged one still holds, with books that balance again.
//
// Private to core/spool. Reads the old file only (damaged_spool.h); putting the new one in its place is salvage.cpp's.
// [one thread; the caller holds the spool's lock]
#pragma once

#include "core/spool/witness.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

// What became of a damaged spool.
struct Salvaged {
  std::uint64_t batches = 0, documents = 0;  // that wait on
  std::uint64_t lost_documents = 0;          // counted in the ledger, reason "corrupt"
  std::vector<std::string> fresh_plugins;    // whose state was not whole: they begin as new
  std::string aside;                         // where the damaged file is; "": there was none
};

// Makes the file `to` of the one at `from`. `collector_id` is whose it is if nothing of it says so.
Expected<Salvaged> rebuild(const std::string& from, const std::string& to, const std::optional<Testimony>& said,
                           const std::string& collector_id, std::int64_t unix_ns);

}  // namespace pganalytics::spool
