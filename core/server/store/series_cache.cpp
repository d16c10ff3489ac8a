#include "core/server/store/series_cache.h"

namespace pganalytics::server::store {

void SeriesCache::keep(const SeriesDigest& digest, const KnownSeries& series) {
  if (recent_.size() >= half_ && recent_.find(digest) == recent_.end()) {
    older_ = std::move(recent_);
    recent_ = Map();
  }
  recent_[digest] = series;
}

std::vector<KnownSeries> SeriesCache::find(const std::vector<SeriesDigest>& digests) {
  std::vector<KnownSeries> found(digests.size());
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (const auto recent = recent_.find(digests[i]); recent != recent_.end()) {
      found[i] = recent->second;
    } else if (const auto older = older_.find(digests[i]); older != older_.end()) {
      found[i] = older->second;
      keep(digests[i], found[i]);
    }
  }
  return found;
}

void SeriesCache::remember(const std::vector<std::pair<SeriesDigest, KnownSeries>>& series) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [digest, known] : series) keep(digest, known);
}

std::size_t SeriesCache::size() {
  const std::lock_guard lock(mutex_);
  return recent_.size() + older_.size();
}

void SeriesCache::clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  recent_.clear();
  older_.clear();
}

}  // namespace pganalytics::server::store
