// Clocks that tests turn: one that stands still, one that goes on but can be put forward.
#pragma once

#include "core/clock/clock.h"

namespace pganalytics::host {

class HandClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return unix_time; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return monotonic; }
  void advance_ms(std::int64_t ms) {
    unix_time += ms * 1'000'000;
    monotonic += ms * 1'000'000;
  }

  std::int64_t unix_time = 1'790'000'000'000'000'000;
  std::int64_t monotonic = 1'000'000'000'000;
};

// The system's, and what the test put it forward by.
class ForwardClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return clock::now_unix_ns() + forward_ns_; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return clock::now_monotonic_ns() + forward_ns_; }
  void advance_ms(std::int64_t ms) { forward_ns_ += ms * 1'000'000; }

 private:
  std::int64_t forward_ns_ = 0;
};

}  // namespace pganalytics::host
