#include "core/server/query/grid.h"

#include "tests/support/catch.h"

using namespace pganalytics::server::query;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

auto lay(std::int64_t from_s, std::int64_t to_s, std::optional<std::int64_t> step_s = std::nullopt) {
  return lay_grid(from_s * kSecond, to_s * kSecond, step_s, 0);
}

}  // namespace

TEST_CASE("steps begin at multiples of the step and cover the range") {
  const auto grid = lay(1'000'001, 1'000'599, 60).value();
  CHECK(grid.from_unix_s == 999'960);
  CHECK(grid.steps == 11);
  CHECK(grid.end_unix_s() == 1'000'620);
  CHECK(lay(600, 1'200, 300).value().steps == 2);  // the end is not in the range
  CHECK(lay(600, 1'201, 300).value().steps == 3);
  CHECK(lay_grid(600 * kSecond, 600 * kSecond + 1, 300, 0).value().steps == 1);
}

TEST_CASE("without a step there are about 300 at most") {
  CHECK(lay(0, 299).value().step_s == 1);
  CHECK(lay(0, 300).value().step_s == 10);
  CHECK(lay(0, 3'600).value().step_s == 30);
  CHECK(lay(0, 86'400).value().step_s == 300);
  CHECK(lay(0, 90 * 86'400).value().step_s == 43'200);
  CHECK(lay(0, 400 * 86'400).value().step_s == 604'800);
}

TEST_CASE("reversed, empty and endless ranges are refused by name") {
  CHECK(lay(2, 1).error().message.rfind("from: ", 0) == 0);
  CHECK(lay(1, 1).error().message.rfind("from: ", 0) == 0);
  CHECK(lay(0, 400 * 86'400 + 1).error().message.rfind("from: ", 0) == 0);
  CHECK(lay(-1, 1, 60).error().message == "from: is before 1970");
  CHECK(lay(INT64_MIN / kSecond, 1, 60).error().message == "from: is before 1970");
  CHECK(lay(INT64_MAX / kSecond - 1, INT64_MAX / kSecond).error().message == "to: is after 2200");
  CHECK(lay(0, 11'000, 1));
  CHECK(lay(0, 11'001, 1).error().message.rfind("step: gives 11001 steps", 0) == 0);
}
