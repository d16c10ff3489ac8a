// EXPLAIN's answer, of which pg_stats makes what a reading cost the server.
// links: pg_stats_objects
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "plugins/pg_stats/server_cost.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto cost = pganalytics::pg_stats::parse_plan({reinterpret_cast<const char*>(data), size});
  if (!cost && cost.error().code != "pg.plan") std::abort();
  return 0;
}
