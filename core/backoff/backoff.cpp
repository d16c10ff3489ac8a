#include "core/backoff/backoff.h"

#include <algorithm>
#include <random>

namespace pganalytics::backoff {
namespace {

// SplitMix64: eight bytes of state are plenty to spread retries.
std::uint64_t draw(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

}  // namespace

Backoff::Backoff(std::int64_t first_ms, std::int64_t max_ms, std::uint64_t seed)
    : first_ms_(std::max<std::int64_t>(first_ms, 1)),
      max_ms_(std::max(max_ms, first_ms_)),
      ceiling_ms_(first_ms_),
      random_(seed) {}

std::int64_t Backoff::next_ms(std::int64_t at_least_ms) {
  const auto choices = static_cast<std::uint64_t>(ceiling_ms_) + 1;
  const auto wait_ms = static_cast<std::int64_t>(draw(random_) % choices);
  ceiling_ms_ = ceiling_ms_ > max_ms_ / 2 ? max_ms_ : ceiling_ms_ * 2;
  return std::max(wait_ms, at_least_ms);
}

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace pganalytics::backoff
