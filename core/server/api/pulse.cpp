#include "core/server/api/pulse.h"

#include <chrono>

#include "core/clock/clock.h"

namespace pganalytics::server::api {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

Outcome Pulse::feel() {
  std::unique_lock lock(mutex_);
  if (clock::now_monotonic_ns() < good_until_ns_) return last_;
  if (is_asking_) {
    const auto left = std::chrono::nanoseconds(asked_at_ns_ + kSecondNs - clock::now_monotonic_ns());
    if (answered_.wait_for(lock, left, [this] { return !is_asking_; })) return last_;
    return Error{PGA_E_DEADLINE, "database.slow", "the database has not answered for a second", "", 0};
  }
  is_asking_ = true;
  asked_at_ns_ = clock::now_monotonic_ns();
  lock.unlock();
  Outcome answer = ask_();
  lock.lock();
  is_asking_ = false;
  last_ = answer;
  good_until_ns_ = clock::now_monotonic_ns() + kSecondNs;
  answered_.notify_all();
  return answer;
}

}  // namespace pganalytics::server::api
