#include <cctype>

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

TEST_CASE("a collector is meant by its id, the beginning of it, or its name") {
  StoreFixture fixture;
  auto& store = fixture.store();
  const std::string first = fixture.enrol("db1"), second = fixture.enrol("db2");
  CHECK(store.find_collector(first).value() == first);
  std::string upper = second;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  CHECK(store.find_collector(upper).value() == second);
  CHECK(store.find_collector(first.substr(0, 13)).value() == first);
  CHECK(store.find_collector("db2").value() == second);
  for (const std::string& nobody : {std::string(), std::string("db"), std::string("%"), first.substr(0, 3), first + "x"}) {
    CAPTURE(nobody);
    CHECK(store.find_collector(nobody).error().status == PGA_E_NOTFOUND);
  }
}

TEST_CASE("of several collectors that are meant none is chosen, but one in use before those that are revoked") {
  StoreFixture fixture;
  auto& store = fixture.store();
  const std::string first = fixture.enrol("db1"), second = fixture.enrol("db1"), third = fixture.enrol(first.substr(0, 8));
  const auto several = store.find_collector("db1");
  REQUIRE_FALSE(several);
  CHECK(several.error().status == PGA_E_CONFIG);
  CHECK(several.error().hint.find(first) != std::string::npos);
  CHECK(several.error().hint.find(second) != std::string::npos);
  CHECK(store.find_collector(first.substr(0, 8)).error().status == PGA_E_CONFIG);  // a name that looks like another's id
  REQUIRE(store.revoke_collector(first));
  CHECK(store.find_collector("db1").value() == second);
  CHECK(store.find_collector(first).value() == first);
  REQUIRE(store.revoke_collector(second));
  CHECK(store.find_collector("db1").error().status == PGA_E_CONFIG);
}
