// Cancels a run from another thread after a while, unless it ends first.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace pganalytics::testing {

class Canceller {
 public:
  // after: absent, nothing happens.
  Canceller(std::optional<std::chrono::nanoseconds> after, std::function<void()> cancel) {
    if (!after) return;
    thread_ = std::thread([this, wait = *after, cancel = std::move(cancel)] {
      std::unique_lock<std::mutex> lock(mutex_);
      if (ended_.wait_for(lock, wait, [this] { return done_; })) return;
      lock.unlock();
      cancel();
    });
  }
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;
  ~Canceller() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace pganalytics::testing
