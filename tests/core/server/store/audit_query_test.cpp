#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::AuditFilter;

namespace {

using Ids = std::vector<std::int64_t>;

// 1 to 4.
void write_some(server::store::Store& store) {
  must(store.audit("command line", "token.create", "token:1", "{}"));
  must(store.audit("key:admin:12", "config.put", "db1", "{}"));
  must(store.audit("key:viewer:7", "access.failures", "", "{}"));
  must(store.audit("key:admin:12", "config.rollback", "db1", "{}"));
}

// Of all pages of `limit` rows.
Ids found(server::store::Store& store, const AuditFilter& filter, std::uint32_t limit = 100) {
  server::store::AuditQuery query{filter, limit, ""};
  Ids ids;
  do {
    const auto page = must(store.audit_page(query));
    for (const auto& row : page.rows) ids.push_back(row.id);
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  return ids;
}

}  // namespace

TEST_CASE("the audit log is asked by actor, action, subject and time, in either direction") {
  StoreFixture fixture;
  auto& store = fixture.store();
  write_some(store);
  const auto rows = must(store.audit_rows(0, 10));
  const auto ns = [&](std::size_t row) { return rows[row].at_unix_us * 1'000; };
  const std::vector<std::pair<AuditFilter, Ids>> cases = {
      {{"", "", "", {}, {}}, {4, 3, 2, 1}},
      {{"key:admin:12", "", "", {}, {}}, {4, 2}},
      {{"key:admin:1", "", "", {}, {}}, {}},
      {{"key:*", "", "", {}, {}}, {4, 3, 2}},
      {{"", "config.*", "", {}, {}}, {4, 2}},
      {{"", "config.put", "", {}, {}}, {2}},
      {{"", "c%", "", {}, {}}, {}},
      {{"", "*", "token:1", {}, {}}, {1}},
      {{"", "", "db1", ns(1) + 1'000, {}}, {4}},
      {{"", "", "", ns(1), ns(3)}, {3, 2}},
      {{"' or 1=1 --", "", "", {}, {}}, {}},
  };
  for (const auto& [filter, expected] : cases) {
    CAPTURE(filter.actor, filter.action, filter.subject);
    CHECK(found(store, filter) == expected);
    Ids oldest_first;
    for (const auto& row : must(store.audit_rows(0, 10, filter))) oldest_first.insert(oldest_first.begin(), row.id);
    CHECK(oldest_first == expected);
  }
}

TEST_CASE("pages of the audit log are whole and stay so while entries come") {
  StoreFixture fixture;
  auto& store = fixture.store();
  write_some(store);
  for (std::uint32_t limit = 1; limit <= 5; ++limit) CHECK(found(store, {}, limit) == Ids{4, 3, 2, 1});
  const auto first = must(store.audit_page({{}, 2, ""}));
  write_some(store);
  const auto second = must(store.audit_page({{}, 2, first.next_cursor}));
  REQUIRE(second.rows.size() == 2);
  CHECK(second.rows[0].id == 2);
  CHECK(second.next_cursor.empty());
  CHECK(store.audit_page({{"x", "", "", {}, {}}, 2, first.next_cursor}).error().status == PGA_E_CONFIG);
  CHECK(store.audit_page({{}, 2, "garbage"}).error().status == PGA_E_CONFIG);
}
