#include "core/server/http/connections.h"

#include <chrono>
#include <vector>

#include "core/server/http/client_address.h"

namespace pganalytics::server::http {

Connections::Place::~Place() {
  if (all_ == nullptr) return;
  const std::lock_guard lock(all_->mutex_);
  if (entry_->is_stranger) {
    drop_one(all_->strangers_, entry_->network);
  } else if (!entry_->collector_id.empty()) {
    drop_one(all_->members_, entry_->collector_id);
  }
  all_->entries_.erase(entry_);
  if (all_->entries_.empty()) all_->emptied_.notify_all();
}

void Connections::Place::attach(const std::shared_ptr<Member>& member) {
  const std::lock_guard lock(all_->mutex_);
  entry_->member = member;
}

void Connections::Place::belongs_to(const std::string& collector_id) {
  const std::lock_guard lock(all_->mutex_);
  entry_->collector_id = collector_id;
}

bool Connections::Place::authenticated() {
  const std::lock_guard lock(all_->mutex_);
  if (!entry_->is_stranger) return true;
  if (const std::string& id = entry_->collector_id; !id.empty()) {
    const auto known = all_->members_.find(id);
    if (known != all_->members_.end() && known->second >= all_->most_members_) return false;
    ++all_->members_[id];
  }
  entry_->is_stranger = false;
  drop_one(all_->strangers_, entry_->network);
  return true;
}

void Connections::drop_one(Counts& counts, const std::string& of) {
  const auto found = counts.find(of);
  if (--found->second == 0) counts.erase(found);
}

std::optional<Connections::Place> Connections::admit(const std::string& address, Refusal& why_not) {
  std::string network = network_of(address);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= most_) {
    why_not = Refusal::kConnections;
    return std::nullopt;
  }
  const auto known = strangers_.find(network);
  if (known != strangers_.end() && known->second >= most_strangers_) {
    why_not = Refusal::kConnectionsOfAddress;
    return std::nullopt;
  }
  ++strangers_[network];
  entries_.push_front(Entry{{}, std::move(network), {}, true});
  return Place(this, entries_.begin());
}

void Connections::use(const Limits& limits) {
  const std::lock_guard lock(mutex_);
  most_ = limits.connections;
  most_strangers_ = limits.strangers_per_address;
  most_members_ = limits.connections_per_collector;
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Connections::for_each(const std::function<void(Member&)>& visit) const { for_each_of({}, visit); }

void Connections::for_each_of(const std::string& collector_id, const std::function<void(Member&)>& visit) const {
  std::vector<std::shared_ptr<Member>> live;  // a visit may end a member, whose place wants the lock
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      if (!collector_id.empty() && entry.collector_id != collector_id) continue;
      if (auto alive = entry.member.lock()) live.push_back(std::move(alive));
    }
  }
  for (const auto& member : live) visit(*member);
}

bool Connections::wait_until_empty(std::int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return entries_.empty(); });
}

}  // namespace pganalytics::server::http
