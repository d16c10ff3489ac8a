#include "core/server/store/audit_chain.h"

#include "core/crypto/digest.h"

#include <chrono>
#include <iostream>

#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::AuditChain;
using server::store::AuditRow;

namespace {

// What the chain says of the whole log; "" is intact.
std::string verdict(server::store::Store& store) {
  AuditChain chain;
  for (const AuditRow& row : must(store.audit_rows(0, 100'000))) {
    if (const std::string fault = chain.check(row); !fault.empty()) return fault;
  }
  return "";
}

// As whoever owns the tables could: past the triggers.
void tamper(StoreFixture& fixture, const std::string& sql) {
  static_cast<void>(
      fixture.value("SET session_replication_role = replica; " + sql + "; SET session_replication_role = origin; SELECT 1"));
}

}  // namespace

TEST_CASE("the audit log says who did what to whom, from where and when") {
  StoreFixture fixture;
  REQUIRE(fixture.store().audit("key:admin", "collector.revoke", "some id", R"({"why":"it's \"old\""})", "192.0.2.7"));
  CHECK(fixture.value(
            "SELECT actor || '|' || action || '|' || subject || '|' || address || '|' || detail FROM pganalytics.audit") ==
        R"(key:admin|collector.revoke|some id|192.0.2.7|{"why":"it's \"old\""})");
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.audit WHERE now() - at < interval '1 minute'") == "1");
}

TEST_CASE("the database and the program compute the same hash, whatever the texts") {
  StoreFixture fixture;
  for (const char* subject : {"", "plain", "a:b,c", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x98", "tab\tnewline\nquote'\"\\"}) {
    REQUIRE(fixture.store().audit(subject, subject, subject, R"({"a": [1.0,  2e3], "a": null})", subject));
  }
  CHECK(verdict(fixture.store()).empty());
  const auto rows = must(fixture.store().audit_rows(0, 100));
  REQUIRE(rows.size() == 5);
  CHECK(rows.front().previous_hash.empty());
  CHECK(rows[4].previous_hash == rows[3].hash);
  CHECK(rows[4].hash == server::store::audit_row_hash(rows[4]));
}

TEST_CASE("entries cannot be changed, removed or slipped in unseen") {
  StoreFixture fixture;
  for (int i = 0; i < 5; ++i) REQUIRE(fixture.store().audit("a", "b", std::to_string(i), "{}"));
  for (const char* sql :
       {"UPDATE pganalytics.audit SET actor = 'x'", "DELETE FROM pganalytics.audit", "TRUNCATE pganalytics.audit"}) {
    CAPTURE(sql);
    CHECK_THROWS(fixture.value(sql));
    CHECK(fixture.value("SELECT count(*) FROM pganalytics.audit WHERE actor = 'a'") == "5");
  }
  CHECK(verdict(fixture.store()).empty());
  SECTION("a changed text") {
    tamper(fixture, "UPDATE pganalytics.audit SET actor = 'x' WHERE id = 3");
    CHECK(verdict(fixture.store()).find("row 3 was changed") == 0);
  }
  SECTION("a changed time") {
    tamper(fixture, "UPDATE pganalytics.audit SET at = at - interval '1 microsecond' WHERE id = 2");
    CHECK(verdict(fixture.store()).find("row 2 was changed") == 0);
  }
  SECTION("characters moved from one field to the next") {
    tamper(fixture, "UPDATE pganalytics.audit SET actor = 'ab', action = '' WHERE id = 2");
    CHECK(verdict(fixture.store()).find("row 2 was changed") == 0);
  }
  SECTION("a hole") {
    tamper(fixture, "DELETE FROM pganalytics.audit WHERE id = 4");
    CHECK(verdict(fixture.store()).find("row 5 follows row 3") == 0);
  }
  SECTION("a row with its hash made to fit") {
    tamper(fixture,
           "UPDATE pganalytics.audit SET actor = 'x', hash = pganalytics.audit_row_hash(previous_hash, id, at, 'x', action, "
           "subject, "
           "address, detail::text) WHERE id = 3");
    CHECK(verdict(fixture.store()).find("row 4 does not continue row 3") == 0);
  }
}

TEST_CASE("many writers of several servers make one chain without holes") {
  StoreFixture fixture;
  const auto other = fixture.open_again(8);
  constexpr int kWriters = 16, kEach = 50;
  const auto begin = std::chrono::steady_clock::now();
  together(kWriters, [&](int writer) {
    auto& store = writer % 2 == 0 ? fixture.store() : *other;
    for (int i = 0; i < kEach; ++i) must(store.audit("writer", "test", std::to_string(writer), "{}"));
  });
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  std::cout << kWriters * kEach << " entries by " << kWriters << " writers in " << ms << " ms\n";
  CHECK(verdict(fixture.store()).empty());
  CHECK(must(fixture.store().audit_page({{}, 1, ""})).rows.at(0).id == kWriters * kEach);
}

TEST_CASE("a revocation and its entry are one, and others learn of it") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  CHECK(must(fixture.store().revoked_since(0)).collector_ids.empty());
  const auto nobody =
      fixture.store().revoke_collector("6f9619ff-8b86-4d11-b42d-00c04fc964ff", {"a", "collector.revoke", "x", "", "{}"});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().status == PGA_E_NOTFOUND);
  CHECK_FALSE(fixture.store().revoke_collector(id, {"a", "collector.revoke", id, "", "no JSON"}));
  CHECK(must(fixture.store().revoked_since(0)).collector_ids.empty());
  REQUIRE(fixture.store().revoke_collector(id, {"a", "collector.revoke", id, "192.0.2.1", "{}"}));
  const auto revoked = must(fixture.store().revoked_since(0));
  CHECK(revoked.collector_ids == std::vector<std::string>{id});
  CHECK(must(fixture.store().revoked_since(revoked.database_unix_ns + 60'000'000'000)).collector_ids.empty());
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.audit") == "1");
}

TEST_CASE("what cannot be written into the audit log is not done") {
  StoreFixture fixture;
  auto& store = fixture.store();
  const server::store::AuditEntry entry{"a", "some.deed", "x", "", "{}"};
  const std::string id = fixture.enrol(), token = fixture.token();
  must(store.add_api_key("hash", server::store::Role::kViewer));
  const std::string everything =
      "select (select json_agg(t order by id) from pganalytics.registration_tokens t)::text || (select json_agg(c order by id) "
      "from "
      "pganalytics.collectors c)::text || (select json_agg(k order by id) from pganalytics.api_keys k)::text || (select count(*) "
      "from "
      "pganalytics.configs) || (select count(*) from pganalytics.certificates)";
  const std::string before = fixture.value(everything);
  fixture.make_audit_fail();
  const auto transient = [](const Error& error) { return error.status == PGA_E_TRANSIENT; };
  CHECK(transient(store.enrol_collector(token, "db2", "h", crypto::uuid_v4(), "key", entry).error()));
  CHECK(transient(store.add_registration_token("t", 1, 60'000, "", entry).error()));
  CHECK(transient(store.revoke_registration_token("1", entry).error()));
  CHECK(transient(store.add_api_key("k", server::store::Role::kAdmin, "", entry).error()));
  CHECK(transient(store.revoke_api_key("1", entry).error()));
  CHECK(transient(store.put_config(id, "{}", std::nullopt, entry).error()));
  CHECK(transient(store.add_certificate(id, {"thumb", "key", "", "", false, false, 0, 1}, entry).error()));
  CHECK(transient(store.revoke_collector(id, entry).error()));
  bool taken = false;
  CHECK(transient(store.audited(entry, [&]() -> Outcome { return taken = true, Outcome{}; }).error()));
  CHECK_FALSE(taken);
  CHECK(fixture.value(everything) == before);
  fixture.make_audit_work();
  CHECK(store.audited(entry, [&]() -> Outcome { return taken = true, Outcome{}; }));
  CHECK(taken);
  CHECK_FALSE(store.audited(entry, []() -> Outcome { return Error{PGA_E_FAIL, "step", "no", "", 0}; }));
  CHECK(fixture.value("select count(*) from pganalytics.audit") == "1");
}
