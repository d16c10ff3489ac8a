#include "core/server/store/statement_watch.h"

#include "tests/support/catch.h"

#include <numeric>

using namespace pganalytics::server::store;

TEST_CASE("a statement is told by the name in its marker, one without by how it begins") {
  CHECK(statement_name("/* pganalytics-server:push */\nselect 1") == "push");
  CHECK(statement_name("/* pganalytics-server:push") == "push");
  CHECK(statement_name("commit") == "commit");
  CHECK(statement_name("select '" + std::string(100, 'x') + "'") == "select '" + std::string(32, 'x'));
  CHECK(statement_name("").empty());
}

TEST_CASE("statements as long as the limit or longer are slow; all are measured") {
  constexpr std::int64_t kMsNs = 1'000'000;
  StatementWatch watch;
  watch.set_slow_ms(20);
  watch.ended("commit", 20 * kMsNs - 1, 0);
  CHECK(watch.slow() == 0);
  watch.ended("commit", 20 * kMsNs, 0);
  watch.ended("commit", 30 * kMsNs, -1);
  CHECK(watch.slow() == 2);
  watch.set_slow_ms(0);
  watch.ended("commit", 3'600'000 * kMsNs, 0);
  CHECK(watch.slow() == 2);
  const auto seen = watch.durations().snapshot();
  CHECK(std::accumulate(seen.buckets.begin(), seen.buckets.end(), std::uint64_t{0}) == 4);
}
