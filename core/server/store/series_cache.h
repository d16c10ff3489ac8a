// Which series there are, as far as this server knows: so that a push asks the database only for what is new. Thread-safe.
//
// Bounded: what was not asked for while half of the room was filled goes. Filled only with what was committed, emptied whenever
// a push failed: a database that failed over may have lost what this remembers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pganalytics::server::store {

using SeriesDigest = std::array<char, 16>;

struct SeriesDigestHash {
  std::size_t operator()(const SeriesDigest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);  // it is one already
    return hash;
  }
};

struct KnownSeries {
  std::int64_t id = 0;
  std::int64_t seen_day = 0;  // as series.cpp counts days
  SeriesDigest facts{};       // of its facts; zero: it has none
  std::int64_t facts_us = 0;  // when they were so, since 1970
};

class SeriesCache {
 public:
  explicit SeriesCache(std::size_t entries = 1'000'000) : half_(entries / 2) {}

  // What is known of each, in the order of `digests`; id 0: nothing.
  std::vector<KnownSeries> find(const std::vector<SeriesDigest>& digests);
  void remember(const std::vector<std::pair<SeriesDigest, KnownSeries>>& series);
  void clear();
  [[nodiscard]] std::size_t size();

 private:
  using Map = std::unordered_map<SeriesDigest, KnownSeries, SeriesDigestHash>;
  void keep(const SeriesDigest& digest, const KnownSeries& series);

  const std::size_t half_;
  std::mutex mutex_;
  Map recent_, older_;
};

}  // namespace pganalytics::server::store
