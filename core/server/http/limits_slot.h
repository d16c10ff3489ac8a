// The limits in force: each connection keeps those that it began with. [any thread]
#pragma once

#include "core/server/http/limits.h"

#include <memory>
#include <mutex>
#include <utility>

namespace pganalytics::server::http {

class LimitsSlot {
 public:
  explicit LimitsSlot(const Limits& limits) : limits_(std::make_shared<const Limits>(limits)) {}

  [[nodiscard]] std::shared_ptr<const Limits> get() const {
    const std::lock_guard lock(mutex_);
    return limits_;
  }
  void put(const Limits& limits) {
    auto next = std::make_shared<const Limits>(limits);
    const std::lock_guard lock(mutex_);
    limits_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Limits> limits_;
};

}  // namespace pganalytics::server::http
