#include "core/server/query/timeline.h"

#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::query;
using Kind = Aggregate::Kind;

namespace {

// Steps of 10 s, beginning at 0, all over.
Grid grid_of(std::size_t steps) { return {0, 10, steps, 1'000'000}; }

store::StepRow row(std::int64_t time_s, std::int64_t count, double least, double greatest, double total, double last) {
  store::StepRow step;
  step.time_unix_s = time_s;
  step.count = count;
  step.least = least;
  step.greatest = greatest;
  step.total = total;
  step.last = last;
  return step;
}

store::StepRow grown(std::int64_t time_s, std::optional<double> growth) {
  store::StepRow step = row(time_s, 1, 0, 0, 0, 0);
  step.growth = growth;
  return step;
}

Values gauge(Kind kind, const std::vector<store::StepRow>& rows, std::size_t steps, std::int64_t hold_s) {
  return values_of(rows, {kind, 0}, grid_of(steps), hold_s);
}
Values counter(Kind kind, const std::vector<store::StepRow>& rows, std::size_t steps, std::int64_t hold_s) {
  return values_of(rows, {kind, 0}, grid_of(steps), hold_s);
}

constexpr auto kNone = std::nullopt;

}  // namespace

TEST_CASE("a gauge's step says what its samples come to") {
  const std::vector<store::StepRow> rows = {row(0, 4, 1, 7, 16, 3)};
  CHECK(gauge(Kind::kAvg, rows, 1, 0) == Values{4.0});
  CHECK(gauge(Kind::kMin, rows, 1, 0) == Values{1.0});
  CHECK(gauge(Kind::kMax, rows, 1, 0) == Values{7.0});
  CHECK(gauge(Kind::kSum, rows, 1, 0) == Values{16.0});
  CHECK(gauge(Kind::kLast, rows, 1, 0) == Values{3.0});
}

TEST_CASE("a gauge holds after its last sample, for so long and until the next") {
  const std::vector<store::StepRow> rows = {row(10, 1, 5, 5, 5, 5), row(60, 2, 1, 9, 10, 9)};
  CHECK(gauge(Kind::kAvg, rows, 9, 0) == Values{kNone, 5.0, kNone, kNone, kNone, kNone, 5.0, kNone, kNone});
  CHECK(gauge(Kind::kAvg, rows, 9, 20) == Values{kNone, 5.0, 5.0, 5.0, kNone, kNone, 5.0, 9.0, 9.0});
  CHECK(gauge(Kind::kMin, rows, 9, 100) == Values{kNone, 5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 9.0, 9.0});
  CHECK(gauge(Kind::kSum, rows, 9, 100) == Values{kNone, 5.0, kNone, kNone, kNone, kNone, 10.0, kNone, kNone});
}

TEST_CASE("what was known before the first step holds into it") {
  CHECK(gauge(Kind::kLast, {row(-30, 1, 5, 5, 5, 5)}, 3, 40) == Values{5.0, 5.0, kNone});
  CHECK(gauge(Kind::kLast, {row(-30, 1, 5, 5, 5, 5)}, 3, 20) == Values{kNone, kNone, kNone});
}

TEST_CASE("a counter's growth is its step's; of the first sample nothing is known") {
  const std::vector<store::StepRow> rows = {grown(0, kNone), grown(10, 50), grown(20, 0), grown(30, 20)};
  CHECK(counter(Kind::kIncrease, rows, 5, 900) == Values{kNone, 50.0, 0.0, 20.0, kNone});
  CHECK(counter(Kind::kRate, rows, 5, 900) == Values{kNone, 5.0, 0.0, 2.0, kNone});
}

TEST_CASE("growth between samples further apart than a step is spread evenly, from the first step on") {
  CHECK(counter(Kind::kIncrease, {grown(0, kNone), grown(40, 100)}, 6, 900) == Values{kNone, 25.0, 25.0, 25.0, 25.0, kNone});
  CHECK(counter(Kind::kRate, {grown(-20, kNone), grown(20, 100)}, 3, 900) == Values{2.5, 2.5, 2.5});
}

TEST_CASE("a gap has no values; the step that ends it has all the growth, at the rate of the whole time") {
  const std::vector<store::StepRow> rows = {grown(0, kNone), grown(50, 100)};
  CHECK(counter(Kind::kIncrease, rows, 6, 30) == Values{kNone, kNone, kNone, kNone, kNone, 100.0});
  CHECK(counter(Kind::kRate, rows, 6, 30) == Values{kNone, kNone, kNone, kNone, kNone, 2.0});
  CHECK(counter(Kind::kRate, rows, 6, 31) == Values{kNone, 2.0, 2.0, 2.0, 2.0, 2.0});
}

TEST_CASE("samples more than a day apart are not compared: what grew within the step is the step's") {
  CHECK(counter(Kind::kRate, {grown(-90'000, kNone), grown(0, 30)}, 1, 86'400) == Values{3.0});
  CHECK(counter(Kind::kIncrease, {grown(-86'410, kNone), grown(0, 30)}, 1, 86'400) == Values{30.0});
  CHECK(counter(Kind::kIncrease, {grown(-86'400, kNone), grown(0, 8'640)}, 1, 86'400) == Values{1.0});  // not more than a day
}

TEST_CASE("of a step that is not over yet no rate is known, but its increase so far") {
  const Grid grid{0, 10, 2, 19};
  const std::vector<store::StepRow> rows = {grown(0, 10), grown(10, 4)};
  CHECK(values_of(rows, {Kind::kRate, 0}, grid, 900) == Values{1.0, kNone});
  CHECK(values_of(rows, {Kind::kIncrease, 0}, grid, 900) == Values{10.0, 4.0});
  const Grid just_over{0, 10, 2, 20};
  CHECK(values_of(rows, {Kind::kRate, 0}, just_over, 900) == Values{1.0, 0.4});
}
