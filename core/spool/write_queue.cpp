#include "core/spool/write_queue.h"

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
  waiting_.push_back({std::move(write), now, bytes});
  keep_to_the_caps(plugin);
  changed_.notify_all();
  if (now - oldest < patience) changed_.wait_for(lock, patience, [&] { return receipt->done; });
  return receipt->done ? std::optional(*receipt) : std::nullopt;
}

void WriteQueue::put(Call&& call) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(call), SteadyClock::now(), 0});
  changed_.notify_all();
}

void WriteQueue::keep_to_the_caps(const std::string& plugin) {
  std::size_t all = 0, of_plugin = 0;
  for (const Waiting& waiting : waiting_) {
    all += waiting.bytes;
    const auto* const write = std::get_if<Write>(&waiting.what);
    if (write != nullptr && write->run.plugin == plugin) of_plugin += waiting.bytes;
  }
  for (Waiting& waiting : waiting_) {
    if (all <= room_ && of_plugin <= kMemoryBytesOfPluginMax) return;
    auto* const write = std::get_if<Write>(&waiting.what);
    if (write == nullptr || write->run.plugin != plugin || write->run.documents.empty()) continue;
    write->give_up(clock_.unix_ns());
    all -= waiting.bytes;
    of_plugin -= waiting.bytes;
    waiting.bytes = 0;
  }
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
  for (const Waiting& waiting : waiting_) runs += std::holds_alternative<Write>(waiting.what) ? 1 : 0;
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

bool WriteQueue::wait_until_left(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return left_; });
}

}  // namespace pganalytics::spool
