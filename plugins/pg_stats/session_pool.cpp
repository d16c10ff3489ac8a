#include "plugins/pg_stats/session_pool.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <pganalytics/plugin.hpp>
#include <utility>

namespace pganalytics::pg_stats {
namespace {

constexpr const char* kTooManyConnections = "53300";  // of the server, the role or the database
constexpr std::chrono::nanoseconds kPackedFor = std::chrono::minutes(10);

}  // namespace

void SessionPool::make_room(std::size_t most) {
  while (sessions_.size() > most) {
    const auto oldest = std::min_element(sessions_.begin(), sessions_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    oldest->second.session.close();
    sessions_.erase(oldest);
  }
}

// Others, or the role's limit, leave us less than we keep: then ours are the first to go. Against the limit of a database that is
// of no use; having found out costs nobody their sessions again for a while.
Expected<postgres::ReadOnlySession> SessionPool::open_in_our_own_room(const postgres::ReadOnlySession::Profile& profile,
                                                                      const std::string& database, Error refusal) {
  Expected<postgres::ReadOnlySession> opened = std::move(refusal);
  if (sessions_.empty() || packed_until_ns_[database] > monotonic_now_ns()) return opened;
  make_room(0);
  // The server counts the one that it has just refused until that has ended, too.
  for (int tries = 0; tries < 100 && !opened && opened.error().code == kTooManyConnections; ++tries) {
    pollfd cancelled{profile.deadline.cancel_fd, POLLIN, 0};
    if (poll(&cancelled, 1, 20) > 0) break;
    opened = postgres::ReadOnlySession::open(profile, database);
  }
  packed_until_ns_[database] = opened ? 0 : monotonic_now_ns() + kPackedFor.count();
  return opened;
}

Expected<postgres::ReadOnlySession*> SessionPool::get(const postgres::ReadOnlySession::Profile& profile,
                                                      const std::string& database) {
  const auto kept = sessions_.find(database);
  if (kept != sessions_.end() && kept->second.session.still_open()) {
    kept->second.used = ++uses_;
    kept->second.session.set_deadline(profile.deadline);
    return &kept->second.session;
  }
  if (kept != sessions_.end()) sessions_.erase(kept);
  for (auto& each : sessions_) each.second.session.set_deadline(profile.deadline);  // for closing
  make_room(most_ - 1);
  auto opened = postgres::ReadOnlySession::open(profile, database);
  if (!opened && opened.error().code == kTooManyConnections) opened = open_in_our_own_room(profile, database, opened.error());
  if (!opened) return std::move(opened).error();
  return &sessions_.emplace(database, Kept{std::move(opened).value(), ++uses_}).first->second.session;
}

void SessionPool::tidy(const postgres::ReadOnlySession::Profile& profile) {
  // What swallowed the packets of one session has swallowed those of all, and each would cost a run to find out.
  const auto broken = [](const auto& each) { return !each.second.session.usable(); };
  if (std::any_of(sessions_.begin(), sessions_.end(), broken)) sessions_.clear();
  for (auto each = sessions_.begin(); each != sessions_.end();) {
    each->second.session.set_deadline(profile.deadline);
    each = each->second.session.still_open() ? std::next(each) : sessions_.erase(each);
  }
  make_room(most_);
}

}  // namespace pganalytics::pg_stats
