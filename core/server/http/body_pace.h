// How slowly a body may come before it is an attack (slowloris): a total, and after a grace an average rate. Pure. [any thread]
#pragma once

#include "core/server/http/limits.h"

#include <algorithm>
#include <cstdint>

namespace pganalytics::server::http {

class BodyPace {
 public:
  BodyPace(const Limits& limits, std::int64_t start_ms) : limits_(&limits), start_ms_(start_ms) {}

  // When to give up if nothing comes after the `received` bytes that are in: monotonic milliseconds.
  [[nodiscard]] std::int64_t deadline_ms(std::uint64_t received) const {
    const auto rate = static_cast<std::uint64_t>(limits_->body_bytes_per_second);
    const auto earned_ms = static_cast<std::int64_t>(std::min<std::uint64_t>(received, 1ull << 40) * 1'000 / rate);
    return start_ms_ + std::min(limits_->request_timeout_ms, limits_->body_grace_ms + earned_ms);
  }

 private:
  const Limits* limits_;
  std::int64_t start_ms_;
};

}  // namespace pganalytics::server::http
