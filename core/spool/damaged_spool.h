// What a damaged spool still holds: every row that is as it was written, whatever became of the file around it.
//
// Private to core/spool. Reads only, without SQLite (rows.h). Not here: what is made of it (salvage.h).
// [one thread; the caller holds the spool's lock]
#pragma once

#include "core/spool/ledger.h"
#include "core/spool/rows.h"
#include "core/spool/spool_file.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::spool {

struct FoundLoss : Loss {
  std::optional<std::int64_t> carrier;
};

struct FoundRows {
  std::map<std::string, EpochTally> epochs;
  std::map<std::pair<std::string, std::string>, std::string> states;  // (plugin, key)
  std::map<std::string, std::string> values;
  std::map<std::int64_t, FoundLoss> losses;
  std::vector<std::int64_t> tried;
  std::optional<Home> home;
};

// Rows without those of batches. Of an epoch that is found twice, the one that has come further.
FoundRows find_rows(const Pages& pages);

// Calls `each` with every batch whose columns are sound, in the order of the pages. `body` says false when the body is not what
// was sealed. A batch of one key comes once.
void find_batches(const Pages& pages, const std::function<void(const BatchRow&, const std::function<bool(std::string&)>&)>& each);

}  // namespace pganalytics::spool
