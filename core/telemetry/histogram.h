// How long things took: a number per bucket, counted without a lock. [any thread]
//
// Bounds fit what a server does: from an answer out of memory to a statement that runs into its timeout.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pganalytics::telemetry {

class Histogram {
 public:
  static constexpr std::array<double, 11> kBoundsSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

  // At one moment or nearly so. buckets[i]: up to kBoundsSeconds[i] and over the bound before; the last one: longer than all.
  struct Snapshot {
    std::array<std::uint64_t, kBoundsSeconds.size() + 1> buckets{};
    double seconds = 0;  // of all together
  };

  void add(std::int64_t took_ns) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBoundsSeconds.size() && static_cast<double>(took_ns) > kBoundsSeconds[bucket] * 1e9) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<std::uint64_t>(took_ns < 0 ? 0 : took_ns), std::memory_order_relaxed);
  }

  [[nodiscard]] Snapshot snapshot() const noexcept {
    Snapshot now;
    for (std::size_t i = 0; i < buckets_.size(); ++i) now.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    now.seconds = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
    return now;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBoundsSeconds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

}  // namespace pganalytics::telemetry
