#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using testing::push_of;

namespace {

void age(testing::StoreFixture& fixture, const std::string& collector_id, int days) {
  for (const char* table : {"documents", "batches"}) {
    static_cast<void>(fixture.value("update pganalytics." + std::string(table) + " set received_at = now() - interval '" +
                                    std::to_string(days) + " days' where collector_id = '" + collector_id + "'"));
  }
}

}  // namespace

TEST_CASE("documents are kept for their collector's retention_days, 30 by default") {
  testing::StoreFixture fixture;
  const std::vector<std::string> texts{R"({"n":1})", R"({"n":2})"};
  const std::string plain = fixture.enrol("plain");
  const std::string brief = fixture.enrol("brief");
  const std::string lasting = fixture.enrol("lasting");
  REQUIRE(fixture.store().put_config(brief, R"({"retention_days":3650})"));
  REQUIRE(fixture.store().put_config(brief, R"({"retention_days":2})"));
  REQUIRE(fixture.store().put_config(lasting, R"({"retention_days":100})"));
  for (const std::string& id : {plain, brief, lasting}) REQUIRE(fixture.store().push(push_of(id, 1, texts)));

  age(fixture, plain, 29);
  age(fixture, brief, 1);
  age(fixture, lasting, 99);
  CHECK(*fixture.store().expire() == 0);

  age(fixture, plain, 31);
  age(fixture, brief, 3);
  CHECK(*fixture.store().expire() == 4);
  CHECK(*fixture.store().expire() == 0);
  CHECK(fixture.read_all(plain).empty());
  CHECK(fixture.read_all(brief).empty());
  CHECK(fixture.read_all(lasting).size() == 2);
}

TEST_CASE("a batch's number is remembered for 30 days, longer than any collector would send it again") {
  testing::StoreFixture fixture;
  const std::vector<std::string> texts{R"({"n":1})"};
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().push(push_of(id, 1, texts)));
  age(fixture, id, 29);
  REQUIRE(fixture.store().expire());
  CHECK(fixture.store().push(push_of(id, 1, texts))->kind == server::store::PushResult::Kind::kDuplicate);
  age(fixture, id, 31);
  REQUIRE(fixture.store().expire());
  CHECK(fixture.value("select count(*) from pganalytics.batches") == "0");
}
