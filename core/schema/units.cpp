#include "core/schema/units.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace pganalytics::schema {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr std::int64_t kDurationMaxMs = 10LL * 366 * 86'400'000;
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"kB", 1000},
                           {"MB", 1000'000},
                           {"GB", 1000'000'000},
                           {"TB", 1000'000'000'000},
                           {"KiB", 1LL << 10},
                           {"MiB", 1LL << 20},
                           {"GiB", 1LL << 30},
                           {"TiB", 1LL << 40}};

template <std::size_t N>
Expected<std::int64_t> parse_with_unit(std::string_view text, const Unit (&units)[N], std::int64_t max, const Error& malformed) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || number < 0) return malformed;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* const known =
      std::find_if(std::begin(units), std::end(units), [&](const Unit& candidate) { return candidate.name == unit; });
  if (known == std::end(units) || number > max / known->factor) return malformed;
  return number * known->factor;
}

// Optimal string alignment: insertions, deletions, substitutions and swapped neighbours cost one each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substituted});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

Expected<std::int64_t> parse_duration_ms(std::string_view text) {
  return parse_with_unit(text, kDurations, kDurationMaxMs,
                         Error{PGA_E_CONFIG, "duration", "'" + std::string(text) + "' is not a duration",
                               "Write a whole number and a unit: 500ms, 60s, 5m, 2h or 1d.", 0});
}

Expected<std::int64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, kSizes, std::numeric_limits<std::int64_t>::max(),
                         Error{PGA_E_CONFIG, "bytes", "'" + std::string(text) + "' is not a size",
                               "Write a whole number and a unit: 4096, 8KiB, 512MiB or 1GiB.", 0});
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kWordMax = 64;  // nobody means a key by a longer word, and the distance costs the product of the lengths
  if (word.size() > kWordMax) return "";
  std::string best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kWordMax) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance * 3 <= std::max(candidate.size(), word.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace pganalytics::schema
