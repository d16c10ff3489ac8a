// Roll-ups as the program asks for them (rollups.cpp).
#pragma once

#include <cstdint>
#include <string>

namespace pganalytics::server::store {

// How long they are kept, in days.
struct RollUpRetention {
  std::uint32_t days_of_5m = 90, days_of_1h = 400;
};

struct RolledUp {
  bool more = false;              // to be done at once
  std::string dropped_partition;  // "" = none was old enough
};

}  // namespace pganalytics::server::store
