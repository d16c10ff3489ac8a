// The keys of a [plugins.<id>] table that are the operator's and the core's, not the plugin's: one list for everybody who must
// tell them apart. [any thread]
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace pganalytics::config {

// When it runs. The server sets these by ways of its own, unless they are pinned.
inline constexpr std::array<std::string_view, 4> kScheduleKeys = {"enabled", "interval", "timeout", "pin"};
// With what rights. The server never sets these.
inline constexpr std::array<std::string_view, 8> kRightsKeys = {"isolation", "sandbox",      "allow_exec", "user",
                                                                "groups",    "capabilities", "memory_max", "cpu_max"};

template <std::size_t size>
bool is_among(const std::array<std::string_view, size>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

inline bool is_operator_key(std::string_view key) { return is_among(kScheduleKeys, key) || is_among(kRightsKeys, key); }

}  // namespace pganalytics::config
