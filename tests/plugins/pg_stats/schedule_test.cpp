#include "plugins/pg_stats/schedule.h"

#include "tests/support/catch.h"

using namespace pganalytics::pg_stats;

TEST_CASE("each family by its own interval, by the run that is nearest") {
  Schedule schedule;
  schedule.configure({{true, 10'000}, {true, 60'000}, {false, 10'000}}, 1);
  CHECK(schedule.is_due(0, 1'000));
  CHECK(schedule.is_due(1, 1'000));
  CHECK_FALSE(schedule.is_due(2, 1'000));
  schedule.read(0, 1'000);
  schedule.read(1, 1'000);
  CHECK_FALSE(schedule.is_due(0, 5'000));
  CHECK(schedule.is_due(0, 10'900));  // a run that begins a little early is the one that is meant
  CHECK_FALSE(schedule.is_due(1, 50'000));
  CHECK(schedule.is_due(1, 61'000));
}

TEST_CASE("beyond the budget intervals stretch to what fits, and come back") {
  Schedule schedule;
  schedule.configure({{true, 60'000}}, 1);
  std::int64_t now = 0;
  const auto window = [&](double server_ms) {
    for (int run = 0; run < 31; ++run) schedule.spent(server_ms / 31, now += 10'000);
  };
  schedule.spent(50'000, now);  // the first run of all reads everything, and is no measure
  window(1'000);
  CHECK(schedule.stretch() == 1);
  CHECK(schedule.used_percent() > 0);
  window(12'400);  // four times what it may
  CHECK(schedule.stretch() > 3.5);
  CHECK(schedule.stretch() < 4.5);
  CHECK_FALSE((schedule.read(0, now), schedule.is_due(0, now + 100'000)));
  CHECK(schedule.is_due(0, now + 260'000));
  window(3'100);  // stretched it fits: it stays so
  CHECK(schedule.stretch() > 3);
  window(300);  // less is to be read
  CHECK(schedule.stretch() == 1);
}
