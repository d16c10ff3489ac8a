#include "core/server/api/parameters.h"

#include "core/clock/clock.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"

using namespace pganalytics::server::api;

namespace {

auto read(const std::string& query) { return read_metrics_query(ApiUnderTest::request("GET", "/x?" + query)); }

}  // namespace

TEST_CASE("parameters of a metrics query") {
  const auto all = read("type=pg_stats&from=2026-01-01T00:00:00%2B02:00&to=2026-01-01T00:00:00Z&limit=7&cursor=abc");
  REQUIRE(all);
  CHECK(all.value().type == "pg_stats");
  CHECK(pganalytics::clock::format_rfc3339(*all.value().from_unix_ns) == "2025-12-31T22:00:00.000Z");
  CHECK(all.value().limit == 7);
  CHECK(all.value().cursor == "abc");
  const auto none = read("");
  REQUIRE(none);
  CHECK((none.value().type.empty() && !none.value().from_unix_ns && !none.value().to_unix_ns && none.value().cursor.empty()));
  CHECK(none.value().limit == 100);
  CHECK(read("limit=5000").value().limit == 1000);
  CHECK(read("limit=99999999999999999999").value().limit == 1000);
  CHECK(read("type=pg_logs").value().type == "logs");
  CHECK(read("type=no-such-type").value().type == "no-such-type");  // unknown, not malformed: an empty list
  CHECK(read("from=2026-01-01T00:00:00+02:00"));                    // a plus sign that nobody encoded
  CHECK(read("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"));
}

TEST_CASE("malformed parameters are refused by name") {
  for (const auto& [query, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"limit=0", "limit"},
                                                                  {"limit=-1", "limit"},
                                                                  {"limit=ten", "limit"},
                                                                  {"limit=1.5", "limit"},
                                                                  {"limit=%201", "limit"},
                                                                  {"limit", "limit"},
                                                                  {"from=yesterday", "from"},
                                                                  {"from=1700000000", "from"},
                                                                  {"to=2026-13-01T00:00:00Z", "to"},
                                                                  {"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"},
                                                                  {"type=", "type"},
                                                                  {"cursor=", "cursor"},
                                                                  {"limit=1&limit=2", "limit"},
                                                                  {"form=2026-01-01T00:00:00Z", "form"}}) {
    CAPTURE(query);
    const auto refused = read(query);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.rfind(std::string(name) + ": ", 0) == 0);
  }
  CHECK(read("limits=5").error().message.find("\"limit\"") != std::string::npos);
}
