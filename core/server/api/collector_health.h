// How a collector is, by when it was heard of last. It says something of itself each minute (its `collector` documents), so that
// silence is a finding whatever intervals its plugins have. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <pganalytics/json.hpp>
#include <string_view>

namespace pganalytics::server::api {

inline constexpr std::int64_t kLateAfterS = 180;  // three reports are missing
inline constexpr std::int64_t kSilentAfterS = 900;

// "revoked", "silent", "late", "ok".
constexpr std::string_view state_of(bool revoked, std::int64_t quiet_s) {
  if (revoked) return "revoked";
  if (quiet_s > kSilentAfterS) return "silent";
  return quiet_s > kLateAfterS ? "late" : "ok";
}

// The object "health" of a collector.
void write_health(JsonWriter& json, const store::CollectorRow& row);

}  // namespace pganalytics::server::api
