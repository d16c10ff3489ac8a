// Token buckets: so many at once, so many per second after that, each caller for itself. [any thread]
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace pganalytics::server::api {

class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  // For who asks from now on; what a caller has left it keeps.
  void use(double per_second, double burst);

  // 0: go ahead. Otherwise how many whole seconds until the next one is free (at least 1).
  std::int64_t take(const std::string& caller, std::int64_t now_monotonic_ns);
  // The same answer without taking anything.
  std::int64_t wait_s(const std::string& caller, std::int64_t now_monotonic_ns);

 private:
  struct Bucket {
    double left = 0;
    std::int64_t filled_at_ns = 0;
  };
  [[nodiscard]] std::int64_t seconds_until_one(double left) const;
  [[nodiscard]] double level(const Bucket& bucket, std::int64_t now_ns) const;
  void forget_full(std::int64_t now_ns);

  double per_second_, burst_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace pganalytics::server::api
