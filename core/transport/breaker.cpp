#include "core/transport/breaker.h"

namespace pganalytics::transport {
namespace {

constexpr int kFailuresUntilOpen = 5;
constexpr int kSuccessesUntilReset = 2;

}  // namespace

void Breaker::succeeded() {
  failures_in_a_row_ = 0;
  state_ = State::kClosed;
  if (++successes_in_a_row_ >= kSuccessesUntilReset) backoff_.reset();
}

std::int64_t Breaker::failed(std::int64_t at_least_ms) {
  successes_in_a_row_ = 0;
  if (++failures_in_a_row_ >= kFailuresUntilOpen || state_ == State::kHalfOpen) state_ = State::kOpen;
  return backoff_.next_ms(at_least_ms);
}

void Breaker::trip() {
  successes_in_a_row_ = 0;
  state_ = State::kOpen;
}

}  // namespace pganalytics::transport
