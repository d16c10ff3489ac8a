#include "core/server/api/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace pganalytics::server::api {
namespace {

// More callers than this and the idle ones are forgotten: a full bucket is the same as none.
constexpr std::size_t kMaxBuckets = 50'000;

}  // namespace

void RateLimit::use(double per_second, double burst) {
  const std::lock_guard lock(mutex_);
  per_second_ = per_second;
  burst_ = burst;
}

std::int64_t RateLimit::take(const std::string& caller, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMaxBuckets) forget_full(now_ns);
  Bucket& bucket = buckets_.try_emplace(caller, Bucket{burst_, now_ns}).first->second;
  bucket.left = level(bucket, now_ns);
  bucket.filled_at_ns = now_ns;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return 0;
  }
  return seconds_until_one(bucket.left);
}

std::int64_t RateLimit::wait_s(const std::string& caller, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const auto found = buckets_.find(caller);
  if (found == buckets_.end()) return 0;
  const double left = level(found->second, now_ns);
  return left >= 1 ? 0 : seconds_until_one(left);
}

std::int64_t RateLimit::seconds_until_one(double left) const {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((1 - left) / per_second_)));
}

double RateLimit::level(const Bucket& bucket, std::int64_t now_ns) const {
  return std::min(burst_, bucket.left + per_second_ * static_cast<double>(now_ns - bucket.filled_at_ns) / 1e9);
}

void RateLimit::forget_full(std::int64_t now_ns) {
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    it = level(it->second, now_ns) >= burst_ ? buckets_.erase(it) : std::next(it);
  }
  if (buckets_.size() >= kMaxBuckets) buckets_.clear();  // memory has an end, whoever all these are
}

}  // namespace pganalytics::server::api
