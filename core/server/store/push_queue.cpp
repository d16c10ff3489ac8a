#include "core/server/store/push_queue.h"

#include <algorithm>
#include <exception>
#include <string>

namespace pganalytics::server::store {
namespace {

constexpr std::size_t kLargeBytes = 64 * 1024;  // of documents
constexpr std::size_t kGroupBytes = 1024 * 1024, kGroupPushes = 64;

std::size_t bytes_of(const Push& push) {
  std::size_t bytes = 0;
  for (const DocumentRow& document : push.documents) bytes += document.document.size();
  return bytes;
}

// The database is away or slow: it will not be better for one of them than for all.
bool is_nobodys_fault(const Error& error) { return error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE; }

}  // namespace

PushQueue::Waiting::Waiting(const Push& what) : push(what), bytes(bytes_of(what)) {}

Expected<PushResult> PushQueue::push(const Push& push) {
  Waiting mine(push);
  if (mine.bytes > kLargeBytes) return store_alone(push);
  std::unique_lock<std::mutex> lock(mutex_);
  waiting_.push_back(&mine);
  if (running_ < at_once_) {
    ++running_;
    mine.leads = true;
  }
  mine.changed.wait(lock, [&] { return mine.leads || mine.result; });
  if (mine.leads) lead(mine, lock);
  return *std::move(mine.result);
}

std::size_t PushQueue::waiting() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return waiting_.size();
}

Expected<PushResult> PushQueue::store_alone(const Push& push) const {
  PGA_TRY(const std::vector<PushResult> results, store_({&push}));
  return results.front();
}

// [the lock is held; it is not while the group is stored]
void PushQueue::lead(Waiting& leader, std::unique_lock<std::mutex>& lock) {
  const Group group = group_of(leader);
  lock.unlock();
  std::vector<Expected<PushResult>> results = store(group);
  lock.lock();
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i]->result = std::move(results[i]);
    group[i]->changed.notify_one();
  }
  const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const Waiting* one) { return !one->leads; });
  if (next == waiting_.end()) {
    --running_;
    return;
  }
  (*next)->leads = true;
  (*next)->changed.notify_one();
}

// [the lock is held] The leader's, and what waits behind it. One of a collector: two could be the same batch.
PushQueue::Group PushQueue::group_of(Waiting& leader) {
  Group group{&leader};
  std::size_t bytes = leader.bytes;
  const auto may_join = [&](const Waiting& one) {
    return !one.leads && group.size() < kGroupPushes && bytes + one.bytes <= kGroupBytes &&
           std::none_of(group.begin(), group.end(),
                        [&](const Waiting* other) { return other->push.collector_id == one.push.collector_id; });
  };
  std::deque<Waiting*> rest;
  for (Waiting* const one : waiting_) {
    if (one == &leader) continue;
    if (may_join(*one)) {
      bytes += one->bytes;
      group.push_back(one);
    } else {
      rest.push_back(one);
    }
  }
  waiting_.swap(rest);
  return group;
}

std::vector<Expected<PushResult>> PushQueue::store(const Group& group) const {
  std::vector<const Push*> pushes;
  for (const Waiting* one : group) pushes.push_back(&one->push);
  std::vector<Expected<PushResult>> results;
  try {
    auto together = store_(pushes);
    if (together) {
      for (const PushResult& result : together.value()) results.emplace_back(result);
    } else if (pushes.size() == 1 || is_nobodys_fault(together.error())) {
      results.assign(pushes.size(), together.error());
    } else {
      for (const Push* push : pushes) results.push_back(store_alone(*push));
    }
  } catch (const std::exception& failure) {
    // Whoever waits must hear of it.
    results.assign(pushes.size(), Error{PGA_E_FAIL, "store.push", std::string("storing pushes: ") + failure.what(), "", 0});
  }
  return results;
}

}  // namespace pganalytics::server::store
