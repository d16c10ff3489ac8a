#include "core/server/query/grid.h"

#include <array>

namespace pganalytics::server::query {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kYear2200Ns = 7'258'118'400 * kSecondNs;
constexpr std::int64_t kStepsByDefault = 300;
constexpr std::array<std::int64_t, 13> kRoundSteps = {1,     10,     30,     60,     300,    900,    1'800,
                                                      3'600, 10'800, 21'600, 43'200, 86'400, 604'800};

Error wrong(std::string message) { return Error{PGA_E_CONFIG, "query.grid", std::move(message), {}, 0}; }

std::int64_t floor_to(std::int64_t value, std::int64_t unit) { return value - value % unit; }  // of what is not negative

Grid lay(std::int64_t from_s, std::int64_t to_s, std::int64_t step_s) {
  Grid grid;
  grid.step_s = step_s;
  grid.from_unix_s = floor_to(from_s, step_s);
  grid.steps = static_cast<std::size_t>((floor_to(to_s - 1, step_s) + step_s - grid.from_unix_s) / step_s);
  return grid;
}

std::int64_t round_step(std::int64_t from_s, std::int64_t to_s) {
  for (const std::int64_t step_s : kRoundSteps) {
    if ((to_s - from_s) / step_s < kStepsByDefault) return step_s;
  }
  return kRoundSteps.back();
}

}  // namespace

Expected<Grid> lay_grid(std::int64_t from_unix_ns, std::int64_t to_unix_ns, std::optional<std::int64_t> step_s,
                        std::int64_t now_unix_ns) {
  if (from_unix_ns >= to_unix_ns) return wrong("from: is not before \"to\"");
  if (from_unix_ns < 0) return wrong("from: is before 1970");
  if (to_unix_ns > kYear2200Ns) return wrong("to: is after 2200");
  const std::int64_t from_s = floor_to(from_unix_ns, kSecondNs) / kSecondNs;
  const std::int64_t to_s = floor_to(to_unix_ns - 1, kSecondNs) / kSecondNs + 1;
  if (to_s - from_s > kRangeMaxS) return wrong("from: the range is longer than 400 days");
  Grid grid = lay(from_s, to_s, step_s.value_or(round_step(from_s, to_s)));
  if (static_cast<std::int64_t>(grid.steps) > kStepsMax) {
    return wrong("step: gives " + std::to_string(grid.steps) + " steps, more than " + std::to_string(kStepsMax) +
                 "; take a longer one, or a shorter range");
  }
  grid.now_unix_s = floor_to(now_unix_ns, kSecondNs) / kSecondNs;
  return grid;
}

}  // namespace pganalytics::server::query
