// Pushes that come while others are being stored wait for each other, and then share a transaction. Private to this folder.
//
// Whoever finds a transaction to be had begins one with what waits, so a push that comes alone waits for nothing, and the more
// there is to do the less a push costs. Nobody is answered before the commit that has what he brought. Large pushes share
// nothing: what they cost is their rows, and others would wait for those.
//
// If a transaction of several fails by what one of them brought, each is stored alone: it fails, its neighbours do not.
#pragma once

#include "core/server/store/store.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <pganalytics/expected.hpp>
#include <vector>

namespace pganalytics::server::store {

class PushQueue {
 public:
  // Results in the order of the pushes, or an Error and nothing is stored. [several threads]
  using StoreTogether = std::function<Expected<std::vector<PushResult>>(const std::vector<const Push*>&)>;

  // `at_once`: transactions.
  PushQueue(StoreTogether store, unsigned at_once) : store_(std::move(store)), at_once_(at_once) {}

  // Returns once it is committed, or failed. [any thread]
  Expected<PushResult> push(const Push& push);

  [[nodiscard]] std::size_t waiting() const;  // for a transaction

 private:
  struct Waiting {
    explicit Waiting(const Push& what);
    const Push& push;
    const std::size_t bytes;
    bool leads = false;
    std::optional<Expected<PushResult>> result;
    std::condition_variable changed;
  };
  using Group = std::vector<Waiting*>;

  Expected<PushResult> store_alone(const Push& push) const;
  [[nodiscard]] std::vector<Expected<PushResult>> store(const Group& group) const;
  Group group_of(Waiting& leader);
  void lead(Waiting& leader, std::unique_lock<std::mutex>& lock);

  const StoreTogether store_;
  const unsigned at_once_;
  mutable std::mutex mutex_;
  std::deque<Waiting*> waiting_;  // in the order in which they came; none but leaders unless `at_once_` are running
  unsigned running_ = 0;
};

}  // namespace pganalytics::server::store
