// Things remembered for a while, never more than so many. [any thread]
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace pganalytics::server::api {

class ExpiringSet {
 public:
  ExpiringSet(std::int64_t life_ms, std::size_t most) : life_ns_(life_ms * 1'000'000), most_(most) {}

  [[nodiscard]] bool has(const std::string& item, std::int64_t now_monotonic_ns) const {
    const std::lock_guard lock(mutex_);
    const auto found = until_ns_.find(item);
    return found != until_ns_.end() && now_monotonic_ns < found->second;
  }
  // When full, everything is forgotten: being asked again costs less than keeping order here.
  void add(const std::string& item, std::int64_t now_monotonic_ns) {
    const std::lock_guard lock(mutex_);
    if (until_ns_.size() >= most_) until_ns_.clear();
    until_ns_[item] = now_monotonic_ns + life_ns_;
  }

 private:
  const std::int64_t life_ns_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> until_ns_;
};

}  // namespace pganalytics::server::api
