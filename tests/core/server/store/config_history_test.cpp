#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using Keys = std::vector<std::string>;

namespace {

server::store::AuditEntry entry_of(const std::string& actor) { return {actor, "config.put", "x", "", "{}"}; }

}  // namespace

TEST_CASE("the history says who gave which version and which keys it changed, the newest first") {
  StoreFixture fixture;
  auto& store = fixture.store();
  const std::string id = fixture.enrol();
  CHECK(must(store.config_history(id)).empty());
  const std::string first = R"({"a":1,"b":{"x":"\u0000"}})";
  must(store.put_config(id, first, std::nullopt, entry_of("key:admin:1")));
  must(store.put_config(id, R"({"a":2,"b":{"x":"\u0000"},"c":null})", std::nullopt, entry_of("command line")));
  must(store.put_config(id, first, std::nullopt, entry_of("key:admin:2"), 1));
  must(store.put_config(fixture.enrol("db2"), "{}"));
  const auto history = must(store.config_history(id));
  REQUIRE(history.size() == 3);
  CHECK(history[0].version == 3);
  CHECK(history[0].actor == "key:admin:2");
  CHECK(history[0].restores == 1U);
  CHECK(history[0].changed == Keys{"a", "c"});
  CHECK(history[1].actor == "command line");
  CHECK(history[1].changed == Keys{"a", "c"});
  CHECK_FALSE(history[1].restores);
  CHECK(history[2].actor == "key:admin:1");
  CHECK_FALSE(history[2].changed);
  CHECK(history[2].bytes == static_cast<std::int64_t>(first.size()));
  CHECK(history[2].unix_ns > kStart);
  CHECK(fixture.value("select detail from pganalytics.audit where actor = 'key:admin:2'") == R"({"version":3,"restores":1})");
  CHECK(must(store.config_at(id, 2)).document.find("\"a\":2") != std::string::npos);
  CHECK(store.config_at(id, 4).error().status == PGA_E_NOTFOUND);
}

TEST_CASE("the same document again changes nothing") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  for (int i = 0; i < 2; ++i) must(fixture.store().put_config(id, R"({"a":1})"));
  CHECK(must(fixture.store().config_history(id))[0].changed == Keys{});
}

TEST_CASE("the newest hundred versions of each collector are kept") {
  StoreFixture fixture;
  auto& store = fixture.store();
  const std::string id = fixture.enrol(), other = fixture.enrol("db2");
  must(store.put_config(other, "{}"));
  for (std::uint64_t i = 0; i < server::store::kConfigVersionsKept + 2; ++i) must(store.put_config(id, "{}"));
  const auto history = must(store.config_history(id));
  REQUIRE(history.size() == server::store::kConfigVersionsKept);
  CHECK(history.front().version == server::store::kConfigVersionsKept + 2);
  CHECK_FALSE(history.back().changed);  // what came before it is gone
  CHECK(store.config_at(id, 2).error().status == PGA_E_NOTFOUND);
  CHECK(must(store.config_at(id, 3)).version == 3);
  CHECK(must(store.config_history(other)).size() == 1);
}
