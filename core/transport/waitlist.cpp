#include "core/transport/waitlist.h"

#include <algorithm>

namespace pganalytics::transport {
namespace {

constexpr std::size_t kRememberedMax = 10'000;

}  // namespace

void Waitlist::wait(const spool::BatchKey& key, std::int64_t until_ms, bool held) {
  forget_some();
  Entry& entry = entries_[key];
  entry.until_ms = until_ms;
  entry.held = held;
}

int Waitlist::refused(const spool::BatchKey& key) { return ++entries_[key].refusals; }

std::vector<spool::BatchKey> Waitlist::take_due(std::int64_t now_ms) {
  std::vector<spool::BatchKey> due;
  for (auto& [key, entry] : entries_) {
    if (!entry.held || entry.until_ms > now_ms) continue;
    entry.held = false;
    due.push_back(key);
  }
  return due;
}

bool Waitlist::is_waiting(const spool::BatchKey& key, std::int64_t now_ms) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.until_ms > now_ms;
}

std::int64_t Waitlist::next_due_ms(std::int64_t now_ms) const {
  std::int64_t next_ms = kNever;
  for (const auto& [key, entry] : entries_) {
    if (entry.held || entry.until_ms > now_ms) next_ms = std::min(next_ms, entry.until_ms);
  }
  return next_ms;
}

std::size_t Waitlist::held() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) { return entry.second.held; }));
}

// Batches that a cap dropped never come to an end here. One that is forgotten too early has one more try, nothing worse.
void Waitlist::forget_some() {
  if (entries_.size() < kRememberedMax) return;
  for (auto entry = entries_.begin(); entry != entries_.end();)
    entry = entry->second.held ? std::next(entry) : entries_.erase(entry);
}

}  // namespace pganalytics::transport
