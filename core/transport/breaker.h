// Whether to call at all: after a few failures in a row the way is open (broken), and one call at a time, ever more rarely, finds
// out whether it is closed again.
//
// Here: counting and waiting, by the one retry policy (core/backoff). Not here: what a failure is (pusher.cpp), clocks, sleeping.
// [one thread]
#pragma once

#include "core/backoff/backoff.h"

#include <cstdint>

namespace pganalytics::transport {

class Breaker {
 public:
  enum class State {
    kClosed,    // calls are made
    kOpen,      // none is made until the wait is over
    kHalfOpen,  // one is made, and what becomes of it decides
  };

  Breaker(std::int64_t first_ms, std::int64_t max_ms, std::uint64_t seed) : backoff_(first_ms, max_ms, seed) {}

  // Before each call.
  void calling() {
    if (state_ == State::kOpen) state_ = State::kHalfOpen;
  }
  // Two in a row forget how long the waits have grown; one would be enough for a server that answers every other call.
  void succeeded();
  // How long to wait, not less than at_least_ms.
  std::int64_t failed(std::int64_t at_least_ms = 0);
  // Opens at once: what came back says that the next call will fare no better.
  void trip();

  [[nodiscard]] State state() const { return state_; }

 private:
  backoff::Backoff backoff_;
  State state_ = State::kClosed;
  int failures_in_a_row_ = 0, successes_in_a_row_ = 0;
};

constexpr const char* name_of(Breaker::State state) {
  switch (state) {
    case Breaker::State::kOpen: return "open";
    case Breaker::State::kHalfOpen: return "half-open";
    case Breaker::State::kClosed: break;
  }
  return "closed";
}

}  // namespace pganalytics::transport
