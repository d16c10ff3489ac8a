#include "core/server/api/condition.h"

#include <algorithm>

namespace pganalytics::server::api {

std::vector<Ailment> Condition::ailments() const {
  std::vector<Ailment> found;
  if (draining) found.push_back({"draining", "the server is stopping"});
  const std::int64_t lag_s = std::max<std::int64_t>(oldest_unread_s, rollup_lag_s);
  if (lag_s > ingest_lag_max_s) {
    found.push_back({"ingest_lag", "documents or roll-ups have waited for " + std::to_string(lag_s) + " s"});
  }
  const std::int64_t free = disk_free_bytes;
  if (free >= 0 && free < disk_free_min_bytes) {
    found.push_back({"disk_nearly_full", "the file system of data_dir has " + std::to_string(free) + " bytes left"});
  }
  return found;
}

}  // namespace pganalytics::server::api
