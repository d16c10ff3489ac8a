#include <atomic>

#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

TEST_CASE("nobody has given anything: version 0; each put is the next version and keeps the ones before") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().config(id));
  CHECK(fixture.store().config(id).value().version == 0);
  CHECK(fixture.store().put_config(id, R"({"retention_days":7})").value() == 1);
  const std::string second = R"({"retention_days":  8, "text":"\u0000"})";
  CHECK(fixture.store().put_config(id, second).value() == 2);
  CHECK(fixture.store().config(id).value().version == 2);
  CHECK(fixture.store().config(id).value().document == second);
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.configs") == "2");
  CHECK(fixture.store().config(fixture.enrol("db2")).value().version == 0);
}

TEST_CASE("puts at once take turns") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  std::atomic<std::uint64_t> sum{0};
  together(10, [&](int) {
    const auto version = fixture.store().put_config(id, "{}");
    if (version) sum += version.value();
  });
  CHECK(sum == 55);
}

TEST_CASE("there is no configuration for a collector that is not there") {
  StoreFixture fixture;
  const auto put = fixture.store().put_config("6f9619ff-8b86-4d11-b42d-00c04fc964ff", "{}");
  REQUIRE_FALSE(put);
  CHECK(put.error().status == PGA_E_NOTFOUND);
}

TEST_CASE("what a collector says of its configuration is kept, and told as news once") {
  StoreFixture fixture;
  const std::string id = fixture.enrol(), other = fixture.enrol("db2");
  CHECK_FALSE(fixture.store().config_status(id).value());
  for (int i = 0; i < 3; ++i) must(fixture.store().put_config(id, "{}"));
  must(fixture.store().put_config(other, "{}"));
  CHECK(fixture.store().set_config_status(id, {3, "probation", "", 0}).value());
  CHECK_FALSE(fixture.store().set_config_status(id, {3, "probation", "", 0}).value());
  CHECK(fixture.store().set_config_status(id, {3, "reverted", "it's broken", 0}).value());
  const auto status = fixture.store().config_status(id).value();
  REQUIRE(status);
  CHECK(status->version == 3);
  CHECK(status->state == "reverted");
  CHECK(status->reason == "it's broken");
  CHECK(status->unix_ns > 1'700'000'000'000'000'000);
  CHECK(fixture.store().set_config_status(other, {1, "applied", "", 0}).value());
  CHECK(fixture.store().config_statuses().value().size() == 2);
  CHECK(fixture.store().config_statuses().value().at(other).state == "applied");
  CHECK_FALSE(fixture.store().set_config_status(id, {3, "wonderful", "", 0}));  // the database keeps its own rules
  CHECK_FALSE(fixture.store().set_config_status("6f9619ff-8b86-4d11-b42d-00c04fc964ff", {1, "applied", "", 0}));
}

TEST_CASE("of many who edited the same version one is stored, the others are told the newest") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  must(fixture.store().put_config(id, "{}"));
  std::atomic<int> stored{0}, told{0};
  together(10, [&](int) {
    const auto put = fixture.store().put_config(id, R"({"retention_days":7})", 1);
    if (put) {
      ++stored;
    } else if (put.error().code == "store.config_changed") {
      ++told;
    }
  });
  CHECK(stored == 1);
  CHECK(told == 9);
  CHECK(fixture.store().config(id).value().version == 2);
  CHECK(fixture.store().put_config(id, "{}", 2).value() == 3);
  CHECK(fixture.store().put_config(fixture.enrol("db2"), "{}", 0).value() == 1);
}

TEST_CASE("a version that nobody gave has no status, and a bad end is written into the audit log once") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const server::store::AuditEntry entry{"collector:" + id, "config.rejected", id, "192.0.2.7", "{}"};
  const auto rows = [&] { return fixture.value("select count(*) from pganalytics.audit where action = 'config.rejected'"); };
  CHECK(fixture.store().set_config_status(id, {1, "rejected", "", 0}, entry).error().status == PGA_E_CONFIG);
  CHECK(fixture.store().set_config_status(id, {0, "applied", "", 0}).value());
  must(fixture.store().put_config(id, "{}"));
  CHECK(fixture.store().set_config_status(id, {1, "applied", "", 0}, entry).value());
  CHECK(rows() == "0");
  for (int i = 0; i < 50; ++i) CHECK(fixture.store().set_config_status(id, {1, "rejected", std::to_string(i), 0}, entry).value());
  CHECK(fixture.store().config_status(id).value()->reason == "49");
  CHECK(rows() == "1");
  must(fixture.store().put_config(id, "{}"));
  CHECK(fixture.store().set_config_status(id, {2, "rejected", "", 0}, entry).value());
  CHECK(rows() == "2");
}
