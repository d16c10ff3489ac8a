#include "core/schedule/ticker.h"

#include <algorithm>

namespace pganalytics::schedule {
namespace {

constexpr std::int64_t kFirstTickWithinNs = 2'000'000'000;
constexpr std::int64_t kSteeringShare = 10;  // of an interval, at most one part in so many

// FNV-1a with a final mix: stable over builds and machines, which std::hash does not promise.
std::uint64_t hash_of(std::string_view seed, std::string_view plugin) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  };
  add(seed);
  add(std::string_view("\0", 1));
  add(plugin);
  hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDU;
  return hash ^ (hash >> 33);
}

std::int64_t interval_ns_of(std::int64_t interval_ms) { return std::max<std::int64_t>(interval_ms, 1) * 1'000'000; }

std::int64_t offset_within(std::uint64_t hash, std::int64_t range_ns) {
  return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(range_ns));
}

}  // namespace

Ticker::Ticker(const clock::Clock& clock, std::string_view seed, std::string_view plugin, std::int64_t interval_ms)
    : clock_(clock),
      hash_(hash_of(seed, plugin)),
      interval_ns_(interval_ns_of(interval_ms)),
      next_ns_(clock.monotonic_ns() + offset_within(hash_, std::min(interval_ns_, kFirstTickWithinNs))) {}

std::optional<Tick> Ticker::take() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  if (now_ns < next_ns_) return std::nullopt;
  const std::int64_t passed = (now_ns - next_ns_) / interval_ns_;
  const std::int64_t due_ns = next_ns_ + passed * interval_ns_;
  last_ns_ = due_ns;
  next_ns_ = steered(due_ns + interval_ns_);
  return Tick{unix_of(due_ns), static_cast<std::uint64_t>(passed)};
}

void Ticker::set_interval(std::int64_t interval_ms) {
  if (interval_ns_of(interval_ms) == interval_ns_) return;
  interval_ns_ = interval_ns_of(interval_ms);
  const std::int64_t now_ns = clock_.monotonic_ns();
  // Before the first tick there is nothing to count from: it stays, unless the new interval is over sooner.
  const std::int64_t wanted_ns = last_ns_ ? *last_ns_ + interval_ns_ : std::min(next_ns_, now_ns + interval_ns_);
  next_ns_ = std::max(wanted_ns, now_ns);
}

std::int64_t Ticker::unix_of(std::int64_t monotonic_ns) const {
  return clock_.unix_ns() - (clock_.monotonic_ns() - monotonic_ns);
}

std::int64_t Ticker::steered(std::int64_t monotonic_ns) const {
  const std::int64_t on_grid_ns = offset_within(hash_, interval_ns_);
  // How far past a point of the grid, in [0, interval); more than half way past is before the next.
  std::int64_t past_ns = (unix_of(monotonic_ns) - on_grid_ns) % interval_ns_;
  if (past_ns < 0) past_ns += interval_ns_;
  if (past_ns > interval_ns_ / 2) past_ns -= interval_ns_;
  const std::int64_t limit_ns = interval_ns_ / kSteeringShare;
  return monotonic_ns - std::clamp(past_ns, -limit_ns, limit_ns);
}

}  // namespace pganalytics::schedule
