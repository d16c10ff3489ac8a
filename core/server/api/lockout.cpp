#include "core/server/api/lockout.h"

#include <algorithm>

namespace pganalytics::server::api {
namespace {

// More than this and those whose time is over are forgotten; if that does not help, all are: memory has an end.
constexpr std::size_t kMaxRecords = 50'000;

}  // namespace

void Lockout::use(unsigned failures, std::int64_t lock_ms) {
  const std::lock_guard lock(mutex_);
  most_ = failures;
  lock_ns_ = lock_ms * 1'000'000;
}

std::int64_t Lockout::locked_s(const std::string& who, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(who);
  if (found == records_.end() || found->second.locked_until_ns <= now_ns) return 0;
  return std::max<std::int64_t>(1, (found->second.locked_until_ns - now_ns + 999'999'999) / 1'000'000'000);
}

bool Lockout::fail(const std::string& who, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (records_.size() >= kMaxRecords) forget_old(now_ns);
  Record& record = records_[who];
  if (record.failures == 0 || now_ns - record.first_ns >= lock_ns_) record = Record{0, now_ns, record.locked_until_ns};
  if (++record.failures < most_) return false;
  record = Record{0, 0, now_ns + lock_ns_};
  return true;
}

void Lockout::forget_old(std::int64_t now_ns) {
  for (auto it = records_.begin(); it != records_.end();) {
    const bool is_over = it->second.locked_until_ns <= now_ns && now_ns - it->second.first_ns >= lock_ns_;
    it = is_over ? records_.erase(it) : std::next(it);
  }
  if (records_.size() >= kMaxRecords) records_.clear();
}

}  // namespace pganalytics::server::api
