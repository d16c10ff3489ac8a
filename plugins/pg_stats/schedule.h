// When each family is read: by its own interval, stretched when reading costs the server more than its budget.
//
// Runs come at the plugin's interval; a family is read by the run that is nearest to its time. Pure: the time is given. One
// thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pganalytics::pg_stats {

struct Pace {
  bool enabled = true;
  std::int64_t interval_ms = 60'000;
};

class Schedule {
 public:
  // budget_percent: of one core. A new configuration keeps what was read when.
  void configure(std::vector<Pace> paces, double budget_percent);

  [[nodiscard]] bool is_enabled(std::size_t family) const { return paces_[family].enabled; }
  // Whether the family is to be read by the run that begins now.
  [[nodiscard]] bool is_due(std::size_t family, std::int64_t now_ms) const;
  void read(std::size_t family, std::int64_t now_ms);

  // A run that ends now cost the server about so much.
  void spent(double server_ms, std::int64_t now_ms);
  // All intervals are as many times longer; 1: within the budget.
  [[nodiscard]] double stretch() const { return stretch_; }
  // Of one core, over the window that was looked at last; 0 before the first.
  [[nodiscard]] double used_percent() const { return used_percent_; }

 private:
  static constexpr std::int64_t kNever = -1;

  std::vector<Pace> paces_;
  std::vector<std::int64_t> read_ms_;
  double budget_percent_ = 1, stretch_ = 1, used_percent_ = 0, window_spent_ms_ = 0;
  std::int64_t window_began_ms_ = kNever;
};

}  // namespace pganalytics::pg_stats
