#include "plugins/pg_stats/schedule.h"

#include <algorithm>
#include <utility>

namespace pganalytics::pg_stats {
namespace {

// Long enough that one slow run among many cheap ones is no reason to change the pace.
constexpr std::int64_t kWindowMs = 300'000;
constexpr double kStretchMax = 60;
constexpr std::int64_t kEarlyMs = 500;  // runs do not begin on the dot

}  // namespace

void Schedule::configure(std::vector<Pace> paces, double budget_percent) {
  paces_ = std::move(paces);
  read_ms_.resize(paces_.size(), kNever);
  budget_percent_ = budget_percent;
}

bool Schedule::is_due(std::size_t family, std::int64_t now_ms) const {
  const Pace& pace = paces_[family];
  if (!pace.enabled) return false;
  if (read_ms_[family] == kNever) return true;
  return static_cast<double>(now_ms - read_ms_[family] + kEarlyMs) >= static_cast<double>(pace.interval_ms) * stretch_;
}

void Schedule::read(std::size_t family, std::int64_t now_ms) { read_ms_[family] = now_ms; }

void Schedule::spent(double server_ms, std::int64_t now_ms) {
  // The first run of all reads everything: it opens the first window and counts in none.
  if (std::exchange(window_began_ms_, window_began_ms_ == kNever ? now_ms : window_began_ms_) == kNever) return;
  window_spent_ms_ += server_ms;
  const std::int64_t window_ms = now_ms - window_began_ms_;
  if (window_ms < kWindowMs) return;
  used_percent_ = 100 * window_spent_ms_ / static_cast<double>(window_ms);
  // What it would be unstretched: it jumps to what fits, and comes back as it may.
  stretch_ = std::clamp(stretch_ * used_percent_ / budget_percent_, 1.0, kStretchMax);
  window_spent_ms_ = 0;
  window_began_ms_ = now_ms;
}

}  // namespace pganalytics::pg_stats
