// All families, as they are embedded: parsed once.
#pragma once

#include <vector>

#include "plugins/pg_stats/family.h"

namespace pganalytics::pg_stats {

// In the order in which they are read and stand in documents. [any thread]
const std::vector<Family>& families();

}  // namespace pganalytics::pg_stats
