// Series and their values over time, as questions and answers of the store. Times are Unix seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::server::store {

// What a label must be. One that a series does not have counts as "".
struct LabelMatch {
  enum class Is { kEqual, kNotEqual, kLike, kNotLike };
  int position = 0;  // of the label in its family, from 1 on
  Is is = Is::kEqual;
  std::string value;  // of kLike, kNotLike a pattern of SQL's LIKE
};

struct SeriesQuery {
  std::int64_t family_id = 0;
  std::string collector;  // its id or its name; "" = any
  std::vector<LabelMatch> matches;
  std::int64_t from_unix_s = 0;  // those that ended before need not be found
  std::uint32_t limit = 1;
};

struct SeriesRow {
  std::int64_t id = 0;
  std::string collector_id, collector_name;
  std::vector<std::string> labels;  // in the family's order, "" where it has none; may be fewer than the family has
};

// One field of some series between two times, step by step: step k begins at a multiple of step_s.
struct StepsQuery {
  std::vector<std::int64_t> series_ids;
  int field = 0;  // its position
  std::int64_t from_unix_s = 0, to_unix_s = 0, step_s = 0;
  std::optional<double> quantile;
};

// What the samples in one step of one series come to.
struct StepRow {
  std::int64_t series_id = 0;
  std::int64_t time_unix_s = 0;  // the step's beginning
  std::int64_t count = 0;
  double least = 0, greatest = 0, total = 0, last = 0;
  std::optional<double> growth;    // of a counter, since the sample before each; nullopt: there was none in the day before
  std::optional<double> quantile;  // only if it was asked for
};

}  // namespace pganalytics::server::store
