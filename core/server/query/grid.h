// The steps that an answer has values for: alike for everybody, because each begins at a multiple of the step since 1970 UTC.
// Times are Unix seconds. [any thread]
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>

namespace pganalytics::server::query {

inline constexpr std::int64_t kRangeMaxS = 400LL * 86'400;
inline constexpr std::int64_t kStepsMax = 11'000;  // of one series

struct Grid {
  std::int64_t from_unix_s = 0;  // of the first step's beginning
  std::int64_t step_s = 60;
  std::size_t steps = 0;
  std::int64_t now_unix_s = 0;  // steps that end later are not over yet
  [[nodiscard]] std::int64_t end_unix_s() const { return from_unix_s + static_cast<std::int64_t>(steps) * step_s; }
};

// Covers [from, to), widened to whole steps. Without step_s the shortest of 1 s, 10 s, 30 s, 1 m, 5 m, 15 m, 30 m, 1 h, 3 h, 6 h,
// 12 h, 1 d, 7 d that gives no more than 300. PGA_E_CONFIG, the message beginning with "from", "to" or "step": a
// range that is reversed, empty, too long, or not within 1970 to 2200; too many steps.
Expected<Grid> lay_grid(std::int64_t from_unix_ns, std::int64_t to_unix_ns, std::optional<std::int64_t> step_s,
                        std::int64_t now_unix_ns);

}  // namespace pganalytics::server::query
