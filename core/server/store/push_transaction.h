// Pushes into the database, in one transaction. Private to this folder.
#pragma once

#include "core/server/store/pool.h"
#include "core/server/store/series_cache.h"
#include "core/server/store/store.h"

#include <pganalytics/expected.hpp>
#include <vector>

namespace pganalytics::server::store {

// Each happens once (docs/DELIVERY.md), and all that are stored are with the commit this returns after: what one push costs the
// database in round trips and commits, so do many together. Of a collector at most one among them.
//
// Results in the order of `pushes`. An Error: nothing of any of them is stored; which one was to blame is not known.
Expected<std::vector<PushResult>> store_together(Pool& pool, SeriesCache& series, const std::vector<const Push*>& pushes);

}  // namespace pganalytics::server::store
