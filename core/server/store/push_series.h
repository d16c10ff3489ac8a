// The rows of pushes into the database: their series found or made, facts kept, points and events copied. Private to this folder.
#pragma once

#include "core/server/store/impl.h"
#include "core/server/store/row_batch.h"
#include "core/server/store/series_cache.h"

#include <utility>
#include <vector>

namespace pganalytics::server::store {

// For SeriesCache::remember() after the commit.
using LearntSeries = std::vector<std::pair<SeriesDigest, KnownSeries>>;

// Of a collector at most one batch. PGA_E_DENIED: a collector is not known.
Outcome add_rows(Transaction& transaction, SeriesCache& cache, const std::vector<RowBatch*>& batches, LearntSeries& learnt);

}  // namespace pganalytics::server::store
