// A question about a family's fields over time, and its answer. [any thread; blocks while the database works]
#pragma once

#include "core/server/query/aggregate.h"
#include "core/server/query/grid.h"
#include "core/server/query/groups.h"
#include "core/server/query/matchers.h"
#include "core/server/query/timeline.h"
#include "core/server/store/store.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::server::query {

inline constexpr std::size_t kFieldsMax = 10;
inline constexpr std::uint32_t kSeriesMax = 1'000;             // of an answer
inline constexpr std::uint32_t kMembersMax = 10'000;           // of all groups together
inline constexpr std::size_t kValuesMax = 200'000;             // of an answer
inline constexpr std::size_t kMemberValuesMax = 2'000'000;     // that groups are made of
inline constexpr std::int64_t kHoldMaxMs = 86'400'000;         // values are looked for so far back
inline constexpr std::string_view kByCollector = "collector";  // in `by`: not a label but whose series it is

struct Question {
  std::string family;  // its view
  std::vector<std::string> fields;
  std::vector<Matcher> matchers;
  std::string collector;  // id or name; "" = all
  std::int64_t from_unix_ns = 0, to_unix_ns = 0, now_unix_ns = 0;
  std::optional<std::int64_t> step_s;
  std::string aggregate;  // "" = by the field's kind
  std::int64_t hold_s = 900;
  std::vector<std::string> by;   // labels, and kByCollector; only with `gather`
  std::optional<Gather> gather;  // nullopt: each series by itself
  std::uint32_t limit = 100;     // series of the answer per field, at most kSeriesMax
};

struct Series {
  const store::FamilyMember* field = nullptr;  // of Answer::family
  Aggregate aggregate;
  std::string collector_id, collector_name;                 // "" where it is of several
  std::vector<std::pair<std::string, std::string>> labels;  // those that it has
  std::size_t members = 1;                                  // how many series it was made of
  Values values;
};

struct Answer {
  store::FamilyInfo family;
  Grid grid;
  std::vector<Series> series;  // by field, then in the order of the series' ids, or of the groups' labels
  Answer() = default;
  Answer(Answer&&) = default;  // and no copy: series point into the family
  Answer& operator=(Answer&&) = default;
};

// PGA_E_NOTFOUND: no such family ("store.family") or collector ("store.collector"). PGA_E_CONFIG: the message begins with the
// name of the parameter that is wrong. PGA_E_LIMIT: too many series or values ("too_many_series", "too_many_values").
// PGA_E_DEADLINE with the code "57014": the database needed too long.
Expected<Answer> answer(store::Store& store, const Question& question);

}  // namespace pganalytics::server::query
