// Events that may come by the thousand, told of once a minute: when there are enough of them to be worth it. [any thread]
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace pganalytics::server::api {

class Bursts {
 public:
  // One more of `what`. True for the one that makes `enough` within the minute that its first one began; then not again before
  // the next such minute.
  bool note(const std::string& what, unsigned enough, std::int64_t now_monotonic_ns) {
    const std::lock_guard lock(mutex_);
    if (minutes_.size() >= kMost) minutes_.clear();
    Minute& minute = minutes_[what];
    if (minute.count == 0 || now_monotonic_ns - minute.began_ns >= kMinuteNs) minute = {now_monotonic_ns, 0};
    return ++minute.count == enough;
  }

 private:
  static constexpr std::int64_t kMinuteNs = 60'000'000'000;
  static constexpr std::size_t kMost = 50'000;
  struct Minute {
    std::int64_t began_ns = 0;
    std::uint64_t count = 0;
  };
  std::mutex mutex_;
  std::unordered_map<std::string, Minute> minutes_;
};

}  // namespace pganalytics::server::api
