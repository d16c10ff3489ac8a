#include "plugins/logs/sampling.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

namespace pganalytics::logs {
namespace {

constexpr std::uint64_t kErrorsTimes = 10;
constexpr std::uint64_t kMostHalvings = 63;

// "duration: 12.345 ms  statement: ..." (log_duration, log_min_duration_statement, auto_explain); -1: says none.
double duration_ms(std::string_view message) {
  constexpr std::string_view kWord = "duration: ";
  if (message.substr(0, kWord.size()) != kWord) return -1;
  message.remove_prefix(kWord.size());
  double ms = -1;
  const auto [end, failure] = std::from_chars(message.data(), message.data() + message.size(), ms, std::chars_format::fixed);
  return failure == std::errc() ? ms : -1;
}

// How many of a kind one stands for when `before` came before it: the largest power of two that is not more than before / full.
std::uint64_t step_of(std::uint64_t before, std::uint64_t full) {
  const std::uint64_t times = before / full;
  std::uint64_t step = 1;
  while (times / 2 >= step) step *= 2;
  return step;
}

}  // namespace

std::uint64_t Sampling::stands_for(const Kind& kind, std::string_view message) {
  if (full_entries_ == 0) return 1;
  OfKind& state = kinds_[kind_number(kind)];
  const bool slowest = is_slowest(state, message);
  if (state.left_out + 1 >= step_of(state.entries++, full_entries_of(kind))) {
    const std::uint64_t represented = state.left_out + 1;
    state.left_out = 0;
    return represented;
  }
  // Durations that only ever grow must not switch the thinning off.
  if (slowest && state.slowest < full_entries_) {
    ++state.slowest;
    return 1;
  }
  ++state.left_out;
  return 0;
}

std::uint64_t Sampling::full_entries_of(const Kind& kind) const {
  const std::uint64_t halvings = std::min<std::uint64_t>(bytes_ / kDenseBytes, kMostHalvings);
  const bool is_error = kind.severity && *kind.severity >= Severity::kError;
  return std::max<std::uint64_t>((is_error ? full_entries_ * kErrorsTimes : full_entries_) >> halvings, 1);
}

bool Sampling::is_slowest(OfKind& state, std::string_view message) {
  const double ms = duration_ms(message);
  if (ms <= state.longest_ms) return false;
  state.longest_ms = ms;
  return true;
}

}  // namespace pganalytics::logs
