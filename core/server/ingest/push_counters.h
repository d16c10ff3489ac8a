// What became of pushes and of what was in them: counted since the server started. [any thread]
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace pganalytics::server::ingest {

class PushCounters {
 public:
  std::atomic<std::uint64_t> stored{0}, duplicate{0}, refused{0}, failed{0};  // pushes; refused: 4xx, failed: 5xx
  std::atomic<std::uint64_t> documents{0}, points{0}, events{0};              // in those that were stored

  // A document of a stored push was rejected. Codes are the server's own; more than there should be share the last one.
  void reject(const std::string& code) {
    constexpr std::size_t kCodes = 64;
    const std::lock_guard lock(mutex_);
    ++rejected_[rejected_.size() < kCodes || rejected_.count(code) != 0 ? code : "other"];
  }
  [[nodiscard]] std::map<std::string, std::uint64_t> rejected() const {
    const std::lock_guard lock(mutex_);
    return rejected_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> rejected_;
};

}  // namespace pganalytics::server::ingest
