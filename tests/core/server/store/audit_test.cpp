#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;

TEST_CASE("the audit log says who did what to whom, and when") {
  StoreFixture fixture;
  REQUIRE(fixture.store().audit("key:admin", "collector.revoke", "some id", R"({"why":"it's \"old\""})"));
  CHECK(fixture.value("SELECT actor || '|' || action || '|' || subject || '|' || detail FROM pganalytics.audit") ==
        R"(key:admin|collector.revoke|some id|{"why":"it's \"old\""})");
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.audit WHERE now() - at < interval '1 minute'") == "1");
}
