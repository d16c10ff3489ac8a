// The rule for growth: whatever happens to counters, the growths add up to them, and none is negative.
#include "plugins/pg_stats/history.h"

#include <map>
#include <random>
#include <string>

#include "tests/support/catch.h"

using namespace pganalytics::pg_stats;

namespace {

CounterValue integer(std::int64_t value) {
  CounterValue counter{};
  counter.integer = value;
  return counter;
}

CounterValue number(double value) {
  CounterValue counter{};
  counter.number = value;
  return counter;
}

// Reads one row.
History::Seen see(History& history, std::int64_t calls, double ms, const std::string& epoch = "", const std::string& key = "a") {
  return history.see(key, std::to_string(calls) + "\t" + std::to_string(ms), epoch, {integer(calls), number(ms)});
}

}  // namespace

TEST_CASE("growth is the difference, and of an unchanged row there is none") {
  History history({false, true});
  history.begin();
  const auto first = see(history, 10, 1.5);
  CHECK_FALSE(first.known);
  CHECK(first.changed);
  CHECK(first.growth == nullptr);
  CHECK(history.end() == 0);
  history.begin();
  CHECK_FALSE(see(history, 10, 1.5).changed);
  history.end();
  history.begin();
  const auto later = see(history, 12, 4);
  REQUIRE(later.growth != nullptr);
  CHECK((*later.growth)[0].integer == 2);
  CHECK((*later.growth)[1].number == 2.5);
}

TEST_CASE("a reset is told by the epoch, or by a counter that went down: then growth is all that there is") {
  History history({false, true});
  const bool by_epoch = GENERATE(true, false);
  history.begin();
  see(history, 10, 5, "monday");
  history.begin();
  const auto after = see(history, 20, by_epoch ? 9 : 1, by_epoch ? "tuesday" : "monday");
  REQUIRE(after.growth != nullptr);
  CHECK(after.began_anew);
  CHECK((*after.growth)[0].integer == 20);
}

TEST_CASE("what is gone is forgotten, and begins anew when it comes back") {
  History history({false, true});
  history.begin();
  see(history, 1, 1, "", "a");
  see(history, 2, 2, "", "b");
  CHECK(history.end() == 0);
  history.begin();
  see(history, 1, 1, "", "a");
  CHECK(history.end() == 1);
  CHECK(history.rows() == 1);
  history.begin();
  CHECK_FALSE(see(history, 3, 3, "", "b").known);
  CHECK(history.end() == 1);
}

// A server whose counters grow, are reset with or without a new epoch, evicted, and lost in a crash.
TEST_CASE("over any life of a server the growths of each row add up to its counters") {
  const auto seed = GENERATE(range(0U, 20U));
  std::mt19937 random(seed);
  const auto chance = [&](int percent) { return std::uniform_int_distribution<int>(0, 99)(random) < percent; };
  const auto some = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  struct Row {
    std::int64_t calls = 0;
    std::int64_t ms = 0;  // whole numbers, so that sums are exact
    int epoch = 0;
  };
  std::map<std::string, Row> server;
  struct Sum {
    std::int64_t calls = 0, ms = 0;
  };
  std::map<std::string, Sum> sums;  // since the row was first seen, or began anew
  History history({false, true});
  int epochs = 0;
  for (int reading = 0; reading < 300; ++reading) {
    for (int key = 0; key < 12; ++key) {
      Row& row = server["key" + std::to_string(key)];
      if (chance(60)) row.calls += some(50), row.ms += some(1000);
      if (chance(3)) row = {some(20), some(20), ++epochs};       // reset, and grown again since
      if (chance(2)) row = {0, 0, row.epoch};                    // reset that no epoch tells
      if (chance(2)) server.erase("key" + std::to_string(key));  // evicted; comes back from nothing
    }
    history.begin();
    for (const auto& [key, row] : server) {
      const auto seen = see(history, row.calls, static_cast<double>(row.ms), std::to_string(row.epoch), key);
      Sum& sum = sums[key];
      if (!seen.known || seen.began_anew) sum = {};
      if (!seen.known) {
        sum = {row.calls, row.ms};  // the base that growth comes on top of
      } else if (seen.growth != nullptr) {
        CHECK((*seen.growth)[0].integer >= 0);
        CHECK((*seen.growth)[1].number >= 0);
        sum.calls += (*seen.growth)[0].integer;
        sum.ms += static_cast<std::int64_t>((*seen.growth)[1].number);
      }
      INFO(key << " at reading " << reading);
      REQUIRE(sum.calls == row.calls);
      REQUIRE(sum.ms == row.ms);
    }
    history.end();
    for (auto each = sums.begin(); each != sums.end();) each = server.count(each->first) > 0 ? std::next(each) : sums.erase(each);
  }
}
