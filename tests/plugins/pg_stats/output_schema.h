// The output schema of pg_stats, as its families say it: what plugins/pg_stats/output.schema.json must be.
#pragma once

#include <string>
#include <vector>

#include "plugins/pg_stats/family.h"

namespace pganalytics::pg_stats {

std::string output_schema_of(const std::vector<Family>& families);

}  // namespace pganalytics::pg_stats
