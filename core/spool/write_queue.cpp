#include "core/spool/write_queue.h"

#include <algorithm>

namespace pganalytics::spool {
namespace {

using SteadyClock = std::chrono::steady_clock;

// At most so much is one transaction: a group is as durable as a run, for the price of one fsync.
constexpr std::size_t kGroupRunsMax = 256;
constexpr std::size_t kGroupBytesMax = std::size_t{8} << 20;

}  // namespace

std::optional<Receipt> WriteQueue::put(Write&& write, std::chrono::milliseconds patience) {
  const auto receipt = write.receipt;
  const std::string plugin = write.run.plugin;
  const std::size_t bytes = write.bytes();
  const auto now = SteadyClock::now();
  std::unique_lock lock(mutex_);
  write.number = ++put_in_;
  const auto oldest = working_ ? working_since_ : waiting_.empty() ? now : waiting_.front().since;
  waiting_.push_back({std::move(write), now, bytes, 0});
  keep_to_the_caps(plugin);
  changed_.notify_all();
  if (now - oldest < patience) changed_.wait_for(lock, patience, [&] { return receipt->done; });
  return receipt->done ? std::optional(*receipt) : std::nullopt;
}

std::uint64_t WriteQueue::put(Call&& call) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(call), SteadyClock::now(), 0, ++last_call_});
  changed_.notify_all();
  return last_call_;
}

void WriteQueue::take_back(std::uint64_t call) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.call == call; });
  if (at != waiting_.end()) waiting_.erase(at);
}

void WriteQueue::keep_to_the_caps(const std::string& plugin) {
  std::vector<Waiting*> its;  // oldest first
  std::size_t all = 0, older = 0;
  for (Waiting& waiting : waiting_) {
    all += waiting.bytes;
    const auto* const write = std::get_if<Write>(&waiting.what);
    if (write == nullptr || write->run.plugin != plugin) continue;
    if (!its.empty()) older += its.back()->bytes;
    its.push_back(&waiting);
  }
  Write* lost = nullptr;  // has the count of those that were given up before
  for (std::size_t i = 0; i < its.size(); ++i) {
    const bool newest = i + 1 == its.size();
    // The newest stays unless something is in its way: a run may be larger than what may wait.
    if (all <= room_ && (newest || older <= kMemoryBytesOfPluginMax)) break;
    if (newest && waiting_.size() == 1) break;
    Waiting* const next = newest ? nullptr : its[i + 1];
    const std::size_t before = its[i]->bytes + (next != nullptr ? next->bytes : 0);
    lost = give_up(*its[i], next, lost);
    const std::size_t after = its[i]->bytes + (next != nullptr ? next->bytes : 0);
    all = all + after - before;
    older -= std::min(older, before - std::min(before, after));
  }
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), [](const Waiting& waiting) { return waiting.merged; }),
                 waiting_.end());
}

// Its documents, and its state to the next one of its plugin. `lost` is the one before it that gave up documents; returns the one
// that has the count of both.
Write* WriteQueue::give_up(Waiting& waiting, Waiting* next, Write* lost) {
  Write& write = std::get<Write>(waiting.what);
  if (!write.run.documents.empty()) write.give_up(clock_.unix_ns());
  if (next != nullptr) std::get<Write>(next->what).take_state_of(write);
  waiting.merged = next != nullptr && write.given_up == 0 && write.run.reported_losses.empty();
  waiting.bytes = waiting.merged ? 0 : write.bytes();
  if (next != nullptr) next->bytes = std::get<Write>(next->what).bytes();
  if (write.given_up == 0) return lost;
  if (lost != nullptr) {
    write.take_losses_of(*lost);
    for (Waiting& other : waiting_) other.merged = other.merged || std::get_if<Write>(&other.what) == lost;
  }
  return &write;
}

WriteQueue::Work WriteQueue::take(SteadyClock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return ending_ || !waiting_.empty(); });
  Work work;
  if (waiting_.empty()) return work;
  working_ = true;
  working_since_ = waiting_.front().since;
  if (auto* const call = std::get_if<Call>(&waiting_.front().what)) {
    work.call = std::move(*call);
    waiting_.pop_front();
    return work;
  }
  for (std::size_t bytes = 0; !waiting_.empty() && work.writes.size() < kGroupRunsMax && bytes < kGroupBytesMax;) {
    auto* const write = std::get_if<Write>(&waiting_.front().what);
    if (write == nullptr) break;
    bytes += waiting_.front().bytes;
    work.writes.push_back(std::move(*write));
    waiting_.pop_front();
  }
  return work;
}

void WriteQueue::finish(std::vector<Write>& writes) {
  const std::lock_guard lock(mutex_);
  working_ = false;
  if (!writes.empty()) ended_ = writes.back().number;
  for (Write& write : writes) write.receipt->done = true;
  changed_.notify_all();
}

void WriteQueue::set_room(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
}

std::size_t WriteQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  std::size_t runs = 0;
  for (const Waiting& waiting : waiting_) {
    const auto* const write = std::get_if<Write>(&waiting.what);
    runs += write != nullptr && !write->run.plugin.empty() ? 1 : 0;
  }
  return runs;
}

std::uint64_t WriteQueue::put_in() const {
  const std::lock_guard lock(mutex_);
  return put_in_;
}

std::uint64_t WriteQueue::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void WriteQueue::wait_until_ended(std::uint64_t number, SteadyClock::time_point until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return ended_ >= number; });
}

void WriteQueue::end() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  changed_.notify_all();
}

bool WriteQueue::ending() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void WriteQueue::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [&] { return ending_; });
}

void WriteQueue::left() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  changed_.notify_all();
}

bool WriteQueue::wait_until_left(SteadyClock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return left_; });
}

}  // namespace pganalytics::spool
