// What a statement costs the server itself: EXPLAIN (ANALYZE, BUFFERS) of it, without the rows' way to us.
//
// It runs the statement once more, so it is for samples. Source: https://www.postgresql.org/docs/current/sql-explain.html.
// One thread at a time.
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

#include "core/postgres/read_only_session.h"

namespace pganalytics::pg_stats {

struct ServerCost {
  double ms = 0;                 // planning and execution
  std::int64_t blocks_hit = 0;   // of shared buffers, in both
  std::int64_t blocks_read = 0;  // not found there
  std::int64_t temp_blocks = 0;  // written to temporary files
};

Expected<ServerCost> measure_cost(postgres::ReadOnlySession& session, const std::string& select);

// Of EXPLAIN's JSON. PGA_E_FAIL ("pg.plan"): it is none. Pure.
Expected<ServerCost> parse_plan(std::string_view json);

}  // namespace pganalytics::pg_stats
