// An outbox in memory with two lanes, as the spool has them, that remembers what became of each batch.
#pragma once

#include "core/spool/outbox.h"
#include "tests/core/transport/scripted_backend.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::testing {

class MemoryOutbox : public spool::Outbox {
 public:
  // A batch of so many documents: its body is one letter for each, "aaaa".
  void add(std::uint64_t seq, std::uint32_t documents = 1, std::size_t document_bytes = 1) {
    const std::lock_guard lock(mutex_);
    spool::Batch batch = make_batch(seq, std::string(documents * document_bytes, 'a'));
    batch.documents = documents;
    batch.encoding = compression::Encoding::kIdentity;
    const spool::BatchKey key = batch.key;
    items_[key] = {std::move(batch), ++position_, false};
  }

  Expected<std::optional<spool::Batch>> next(spool::Lane lane) override {
    const std::lock_guard lock(mutex_);
    ++asks_;
    if (failures_ > 0 && failures_-- > 0) return Error{PGA_E_FAIL, "spool", "disk says no", "", 0};
    auto& current = current_[index_of(lane)];
    if (!current || !sendable(*current)) current = pick(lane);
    if (!current) return std::optional<spool::Batch>();
    return std::optional<spool::Batch>(items_.at(*current).batch);
  }
  Outcome hold(const spool::BatchKey& key) override {
    const std::lock_guard lock(mutex_);
    if (hold_error) return *hold_error;
    const auto item = items_.find(key);
    if (item == items_.end()) return no_such_batch();
    item->second.held = true;
    ++holds_;
    return {};
  }
  void release(const spool::BatchKey& key) override {
    const std::lock_guard lock(mutex_);
    if (const auto item = items_.find(key); item != items_.end()) item->second.held = false;
  }
  Outcome acknowledge(const spool::BatchKey& key) override {
    const std::lock_guard lock(mutex_);
    if (acknowledge_failures_ > 0 && acknowledge_failures_-- > 0) return Error{PGA_E_TRANSIENT, "spool", "disk says no", "", 0};
    if (items_.count(key) == 0) return no_such_batch();
    ++acknowledged_[key.text()];
    acknowledged_documents_ += items_.at(key).batch.documents;
    items_.erase(key);
    return {};
  }
  Outcome set_aside(const spool::BatchKey& key, const std::string& reason) override {
    const std::lock_guard lock(mutex_);
    if (set_aside_error) return *set_aside_error;
    if (items_.count(key) == 0) return no_such_batch();
    reasons_[key.text()] = reason;
    lost_documents_ += items_.at(key).batch.documents;
    items_.erase(key);
    return {};
  }
  Expected<bool> split(const spool::BatchKey& key) override {
    const std::lock_guard lock(mutex_);
    if (split_error) return *split_error;
    const auto item = items_.find(key);
    if (item == items_.end()) return no_such_batch();
    const Item whole = item->second;
    if (whole.batch.documents < 2) return false;
    const std::uint32_t first = whole.batch.documents / 2;
    const std::size_t cut = whole.batch.body.size() / whole.batch.documents * first;
    items_.erase(item);
    for (const int half : {0, 1}) {
      spool::Batch batch = whole.batch;
      batch.key.part += (batch.key.part.empty() ? "" : "/") + std::to_string(half);
      batch.documents = half == 0 ? first : whole.batch.documents - first;
      batch.body = half == 0 ? whole.batch.body.substr(0, cut) : whole.batch.body.substr(cut);
      const spool::BatchKey part = batch.key;
      items_[part] = {std::move(batch), whole.position, false};
    }
    return true;
  }
  Outcome rekey(const spool::BatchKey& key) override {
    const std::lock_guard lock(mutex_);
    if (rekey_error) return *rekey_error;
    const auto item = items_.find(key);
    if (item == items_.end()) return no_such_batch();
    Item fresh = item->second;
    items_.erase(item);
    fresh.batch.key = {"ffffffffffffffffffffffffffffff" + std::to_string(10 + epochs_++ % 90), 1, ""};
    const spool::BatchKey renamed = fresh.batch.key;
    items_[renamed] = std::move(fresh);
    return {};
  }

  // A cap was faster.
  void drop(std::uint64_t seq) {
    const std::lock_guard lock(mutex_);
    items_.erase({kEpoch, seq, ""});
  }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }
  void fail_acknowledging(int times) {
    const std::lock_guard lock(mutex_);
    acknowledge_failures_ = times;
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  // How often it was asked for a batch.
  [[nodiscard]] int asks() const {
    const std::lock_guard lock(mutex_);
    return asks_;
  }
  [[nodiscard]] std::size_t held() const {
    const std::lock_guard lock(mutex_);
    std::size_t held = 0;
    for (const auto& [key, item] : items_) held += item.held ? 1 : 0;
    return held;
  }
  [[nodiscard]] std::map<std::string, int> acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }
  // By key; of the test's epoch only the number and part: "2", "2/0".
  [[nodiscard]] std::map<std::string, std::string> reasons() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> reasons;
    for (const auto& [key, reason] : reasons_) reasons[key.substr(key.find('.') + 1)] = reason;
    return reasons;
  }
  [[nodiscard]] std::uint64_t acknowledged_documents() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_documents_;
  }
  [[nodiscard]] std::uint64_t lost_documents() const {
    const std::lock_guard lock(mutex_);
    return lost_documents_;
  }

  // Set before the delivery starts, or under lock().
  std::optional<Error> hold_error, split_error, rekey_error, set_aside_error;
  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

 private:
  struct Item {
    spool::Batch batch;
    int position = 0;
    bool held = false;
  };
  static std::size_t index_of(spool::Lane lane) { return lane == spool::Lane::kLive ? 0 : 1; }
  static Error no_such_batch() { return {PGA_E_NOTFOUND, "spool.batch", "no such batch waits", "", 0}; }
  [[nodiscard]] bool sendable(const spool::BatchKey& key) const {
    const auto item = items_.find(key);
    return item != items_.end() && !item->second.held;
  }
  [[nodiscard]] std::optional<spool::BatchKey> pick(spool::Lane lane) const {
    const auto& other = current_[1 - index_of(lane)];
    std::optional<spool::BatchKey> best;
    int best_position = 0;
    for (const auto& [key, item] : items_) {
      if (item.held || (other && *other == key)) continue;
      const bool better = !best || (lane == spool::Lane::kLive ? item.position > best_position : item.position < best_position);
      if (!better) continue;
      best = key;
      best_position = item.position;
    }
    return best;
  }

  mutable std::mutex mutex_;
  std::map<spool::BatchKey, Item> items_;
  std::array<std::optional<spool::BatchKey>, 2> current_;
  std::map<std::string, int> acknowledged_;
  std::map<std::string, std::string> reasons_;
  std::uint64_t acknowledged_documents_ = 0, lost_documents_ = 0;
  int position_ = 0, failures_ = 0, acknowledge_failures_ = 0, holds_ = 0, epochs_ = 0, asks_ = 0;
};

}  // namespace pganalytics::testing
