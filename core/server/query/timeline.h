// One series on a grid: from the steps that have samples to a value for each step.
//
// - What a gauge said holds in the steps after it that have no sample, if they begin less than `hold` after the end of the last
// one
//   that has (avg, min, max, last, quantile; sum counts samples only). Collectors send rows that have not changed only
//   now and then.
// - A counter's growth since the sample before is spread evenly over the steps from the one after that sample's to the sample's
// own.
//   Where more than `hold` lies between, it is a gap: its steps have no value, and the step that ends it has all of the growth
//   as its increase, and the average over the gap as its rate.
// - Nothing is known of a counter after its last sample, and of the rate in a step that is not over yet.
// A pure function of its rows. [any thread]
#pragma once

#include "core/server/query/aggregate.h"
#include "core/server/query/grid.h"
#include "core/server/store/series.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace pganalytics::server::query {

using Values = std::vector<std::optional<double>>;  // one a step of the grid

// `rows`: of one series, by time, as Store::steps() gives them.
Values values_of(const std::vector<store::StepRow>& rows, const Aggregate& aggregate, const Grid& grid, std::int64_t hold_s);

}  // namespace pganalytics::server::query
