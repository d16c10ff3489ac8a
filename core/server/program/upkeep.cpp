#include "core/server/program/upkeep.h"

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/ingest/unread.h"

#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kExpireIntervalNs = 3'600 * kSecondNs;
constexpr std::int64_t kRetryNs = 60 * kSecondNs;
constexpr std::int64_t kUnreadIntervalNs = 10 * kSecondNs;
constexpr std::int64_t kLookIntervalNs = 5 * kSecondNs;
constexpr int kUnreadInATurn = 20;

void tell_expired(const store::Expired& gone) {
  if (!gone.partition.empty()) log::info("dropped " + gone.partition + ": all in it is older than any retention_days");
  if (gone.documents > 0)
    log::info("forgot " + std::to_string(gone.documents) + " documents older than their collector's retention_days");
  if (gone.points + gone.events > 0)
    log::info("forgot " + std::to_string(gone.points) + " points and " + std::to_string(gone.events) +
              " events older than their collector's retention_days");
}

}  // namespace

Expected<std::unique_ptr<Upkeep>> Upkeep::start(store::Store& store, const std::string& data_dir, store::RollUpRetention roll_ups,
                                                api::Condition& condition) {
  const int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (cancel_fd < 0) return Error{PGA_E_FAIL, "upkeep", std::string("make an eventfd: ") + std::strerror(errno), "", 0};
  return std::unique_ptr<Upkeep>(new Upkeep(store, data_dir, roll_ups, condition, cancel_fd));
}

Upkeep::Upkeep(store::Store& store, std::string data_dir, store::RollUpRetention roll_ups, api::Condition& condition,
               int cancel_fd)
    : store_(store),
      data_dir_(std::move(data_dir)),
      condition_(condition),
      cancel_fd_(cancel_fd),
      schemas_(store),
      roll_ups_(store, roll_ups),
      thread_([this] { turn_until_stopped(); }) {}

Upkeep::~Upkeep() {
  stop();
  ::close(cancel_fd_);
}

void Upkeep::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_early_.notify_all();
  eventfd_write(cancel_fd_, 1);
  if (thread_.joinable()) thread_.join();
}

void Upkeep::turn_until_stopped() {
  while (!stopping_) {
    turn();
    std::unique_lock lock(mutex_);
    stopped_early_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_.load(); });
  }
}

void Upkeep::turn() {
  look();
  if (!stopping_) read_unread();
  if (!stopping_) expire();
  if (!stopping_) roll_ups_.turn(cancel_fd_);
}

// What stop() ended is no trouble.
void Upkeep::tell(const char* doing, const Error& error) {
  if (!stopping_) log::write(log::Level::kWarn, doing, error);
}

void Upkeep::look() {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (now_ns < look_at_ns_) return;
  look_at_ns_ = now_ns + kLookIntervalNs;
  struct statvfs disk {};
  if (statvfs(data_dir_.c_str(), &disk) == 0) {
    condition_.disk_free_bytes = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  }
  // A database that is away has a reason of its own in health; what was known of the backlog stays.
  const auto backlog = store_.backlog(cancel_fd_);
  if (!backlog) return log::debug("asking for the backlog: " + backlog.error().message);
  condition_.unread = backlog->unread;
  condition_.oldest_unread_s = backlog->oldest_unread_s;
  condition_.rollup_lag_s = backlog->rollup_lag_s;
}

// Those of some pushes a turn, while there are any.
void Upkeep::read_unread() {
  if (clock::now_monotonic_ns() < read_at_ns_) return;
  for (int pushes = 0; pushes < kUnreadInATurn; ++pushes) {
    const auto read = ingest::read_next_unread(store_, schemas_, cancel_fd_);
    if (!read) tell("reading documents that came before their schema", read.error());
    if (read && *read) {
      ++counters_.unread_read;
      continue;
    }
    read_at_ns_ = clock::now_monotonic_ns() + (read ? kUnreadIntervalNs : kRetryNs);
    return;
  }
}

void Upkeep::expire() {
  if (clock::now_monotonic_ns() < expire_at_ns_) return;
  const auto gone = store_.expire(cancel_fd_);
  if (!gone) tell("forgetting old documents", gone.error());
  if (gone) {
    tell_expired(*gone);
    counters_.documents += static_cast<std::uint64_t>(gone->documents);
    counters_.points += static_cast<std::uint64_t>(gone->points);
    counters_.events += static_cast<std::uint64_t>(gone->events);
    if (!gone->partition.empty()) ++counters_.partitions;
  }
  if (gone && gone->any()) return;  // there may be more: again in a second
  if (const Outcome forgotten = store_.forget_old_credentials(); !forgotten)
    tell("forgetting old credentials", forgotten.error());
  expire_at_ns_ = clock::now_monotonic_ns() + (gone ? kExpireIntervalNs : kRetryNs);
}

}  // namespace pganalytics::server::program
