// The rule for growth: whatever happens to counters, the growths add up to them, and none is negative.
#include "plugins/pg_stats/history.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

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

TEST_CASE("a reading in several parts has seen what any of them has") {
  History history({false, true});
  const auto part = [&](int of) {
    history.rewind();
    for (int row = of; row < 100; row += 10) see(history, row, 0, "", std::to_string(row));
  };
  history.begin();
  for (int row = 0; row < 100; ++row) see(history, row, 0, "", std::to_string(row));
  CHECK(history.end() == 0);
  history.begin();
  for (int of = 0; of < 10; ++of) part(of);
  CHECK(history.end() == 0);
  history.begin();
  for (int of = 0; of < 9; ++of) part(of);
  CHECK(history.end() == 10);
  CHECK(history.rows() == 90);
}

// Whatever order a server sends its rows in: as the last time, with some gone and some new, from another row on, shuffled.
TEST_CASE("a row is found wherever it stands") {
  std::mt19937 random(GENERATE(range(0U, 10U)));
  const auto some = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  std::vector<std::string> rows;
  std::map<std::string, std::int64_t> calls;  // as they were in the reading before
  History history({false, true});
  int named = 0;
  for (int reading = 0; reading < 60; ++reading) {
    for (std::size_t gone = some(8); gone > 0 && !rows.empty(); --gone)
      rows.erase(rows.begin() + static_cast<long>(some(rows.size() - 1)));
    for (std::size_t fresh = some(12); fresh > 0; --fresh)
      rows.insert(rows.begin() + static_cast<long>(some(rows.size())), "row" + std::to_string(named++));
    if (some(5) == 0 && !rows.empty())
      std::rotate(rows.begin(), rows.begin() + static_cast<long>(some(rows.size() - 1)), rows.end());
    if (some(9) == 0) std::shuffle(rows.begin(), rows.end(), random);
    std::map<std::string, std::int64_t> now;
    std::size_t gone = 0;
    history.begin();
    for (const std::string& row : rows) {
      const auto before = calls.find(row);
      now[row] = before == calls.end() ? 1 : before->second + static_cast<std::int64_t>(some(1));
      const auto seen = see(history, now[row], 0, "", row);
      INFO(row << " at reading " << reading);
      REQUIRE(seen.known == (before != calls.end()));
      REQUIRE(seen.changed == (before == calls.end() || before->second != now[row]));
      if (seen.known && seen.changed) REQUIRE((*seen.growth)[0].integer == 1);
    }
    for (const auto& [row, count] : calls) gone += now.count(row) == 0 ? 1 : 0;
    REQUIRE(history.end() == gone);
    REQUIRE(history.rows() == rows.size());
    calls = std::move(now);
  }
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
