// A number in a text of the kernel: null until the text gave it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <pganalytics/text.hpp>
#include <string_view>

namespace pganalytics::sysstat {

using Count = std::optional<std::uint64_t>;

// `word` times what its text counts in. Null if it is no number, or more than readers of JSON take.
inline Count to_count(std::string_view word, std::uint64_t scale = 1) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = to_number<std::uint64_t>(word);
  return number && *number <= kMax / scale ? Count(*number * scale) : std::nullopt;
}

}  // namespace pganalytics::sysstat
