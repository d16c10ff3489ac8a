#include "core/server/api/condition.h"

#include "tests/support/catch.h"

using pganalytics::server::api::Condition;

namespace {

std::string codes(const Condition& condition) {
  std::string all;
  for (const auto& ailment : condition.ailments()) all.append(all.empty() ? "" : " ").append(ailment.code);
  return all;
}

}  // namespace

TEST_CASE("a limit is reached by what lies beyond it, not by the limit itself") {
  Condition condition;
  CHECK(codes(condition).empty());  // free space is not known yet
  condition.ingest_lag_max_s = 60;
  condition.oldest_unread_s = 60;
  CHECK(codes(condition).empty());
  condition.oldest_unread_s = 61;
  CHECK(codes(condition) == "ingest_lag");
  CHECK(condition.ailments().front().message.find("61 s") != std::string::npos);
  condition.oldest_unread_s = 0;
  condition.rollup_lag_s = 61;
  CHECK(codes(condition) == "ingest_lag");
  condition.rollup_lag_s = 60;
  CHECK(codes(condition).empty());
  condition.disk_free_min_bytes = 1'000;
  condition.disk_free_bytes = 1'000;
  CHECK(codes(condition).empty());
  condition.disk_free_bytes = 999;
  CHECK(codes(condition) == "disk_nearly_full");
  condition.disk_free_bytes = 0;
  CHECK(codes(condition) == "disk_nearly_full");
  condition.disk_free_min_bytes = 0;  // not looked at
  CHECK(codes(condition).empty());
}

TEST_CASE("everything that ails it is told") {
  Condition condition;
  condition.draining = true;
  condition.oldest_unread_s = condition.ingest_lag_max_s + 1;
  condition.disk_free_bytes = 0;
  CHECK(codes(condition) == "draining ingest_lag disk_nearly_full");
}
