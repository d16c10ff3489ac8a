#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;

TEST_CASE("collectors are listed; one that is revoked stays, marked") {
  StoreFixture fixture;
  CHECK(fixture.store().collectors().value().empty());
  const std::string first = fixture.enrol("db1");
  const std::string second = fixture.enrol("db2");
  REQUIRE(fixture.store().revoke_collector(first));
  REQUIRE(fixture.store().revoke_collector(first));  // again changes nothing
  const auto rows = fixture.store().collectors();
  REQUIRE(rows);
  REQUIRE(rows.value().size() == 2);
  for (const auto& row : rows.value()) CHECK(row.revoked == (row.id == first));
  CHECK(fixture.store().collector(second).value().name == "db2");
}

TEST_CASE("one that is not there is not found, whatever its id looks like") {
  StoreFixture fixture;
  for (const char* id : {"6f9619ff-8b86-4d11-b42d-00c04fc964ff", "", "x", "'; DROP TABLE pganalytics.collectors; --"}) {
    INFO(id);
    const auto row = fixture.store().collector(id);
    REQUIRE_FALSE(row);
    CHECK(row.error().status == PGA_E_NOTFOUND);
    const Outcome revoked = fixture.store().revoke_collector(id);
    REQUIRE_FALSE(revoked);
    CHECK(revoked.error().status == PGA_E_NOTFOUND);
  }
}
