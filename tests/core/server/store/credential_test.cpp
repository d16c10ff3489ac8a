// Registration tokens and API keys: listed and revoked by ids that are not the secret.
#include "core/crypto/digest.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::Role;

namespace {

std::string hash_of(const std::string& secret) { return crypto::sha256_hex(secret); }

bool enrols(StoreFixture& fixture, const std::string& token) {
  return static_cast<bool>(
      fixture.store().enrol_collector(hash_of(token), "db1", "db1.example", crypto::uuid_v4(), hash_of("key")));
}

}  // namespace

TEST_CASE("registration tokens are listed with their state") {
  StoreFixture fixture;
  const std::string open = must(fixture.store().add_registration_token(hash_of("open"), 3, 3'600'000, "db*"));
  const std::string used = must(fixture.store().add_registration_token(hash_of("used"), 1, 3'600'000, ""));
  const std::string over = must(fixture.store().add_registration_token(hash_of("over"), 1, 0, ""));
  const std::string gone = must(fixture.store().add_registration_token(hash_of("gone"), 1, 3'600'000, ""));
  REQUIRE(enrols(fixture, "used"));
  REQUIRE(enrols(fixture, "open"));
  REQUIRE(fixture.store().revoke_registration_token(gone));
  CHECK(fixture.store().revoke_registration_token(gone));
  const auto rows = must(fixture.store().registration_tokens());
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].id == open);
  CHECK(rows[0].state == "open");
  CHECK(rows[0].uses == 3);
  CHECK(rows[0].uses_left == 2);
  CHECK(rows[0].hostname_glob == "db*");
  CHECK(rows[0].expires_unix_ns - rows[0].created_unix_ns == 3'600 * kSecond);
  CHECK(rows[0].last_used_unix_ns >= rows[0].created_unix_ns);
  CHECK(rows[2].last_used_unix_ns == 0);
  CHECK(rows[1].state == "used up");
  CHECK(rows[2].state == "expired");
  CHECK(rows[3].state == "revoked");
  CHECK(used != over);
}

TEST_CASE("a revoked token enrols nobody, whatever it has left") {
  StoreFixture fixture;
  const std::string id = must(fixture.store().add_registration_token(hash_of("token"), 5, 3'600'000, ""));
  REQUIRE(enrols(fixture, "token"));
  REQUIRE(fixture.store().revoke_registration_token(id));
  CHECK_FALSE(enrols(fixture, "token"));
}

TEST_CASE("a revoked key is nobody's") {
  StoreFixture fixture;
  const std::string id = must(fixture.store().add_api_key(hash_of("key"), Role::kAdmin, "grafana"));
  CHECK(must(fixture.store().role_of_api_key(hash_of("key"))) == Role::kAdmin);
  auto keys = must(fixture.store().api_keys());
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].id == id);
  CHECK(keys[0].label == "grafana");
  CHECK(keys[0].role == Role::kAdmin);
  CHECK(keys[0].created_unix_ns > kStart);
  CHECK_FALSE(keys[0].revoked);
  CHECK(keys[0].last_used_unix_ns == 0);
  must(fixture.store().note_key_used(hash_of("key")));
  CHECK(must(fixture.store().api_keys())[0].last_used_unix_ns >= keys[0].created_unix_ns);
  REQUIRE(fixture.store().revoke_api_key(id));
  CHECK(must(fixture.store().api_keys())[0].revoked);
  CHECK_FALSE(must(fixture.store().role_of_api_key(hash_of("key"))));
}

TEST_CASE("an id that is none is told apart from one that is not known") {
  StoreFixture fixture;
  for (const char* id : {"", "x", "-1", "1; drop table", "99999999999999999999"}) {
    CHECK(fixture.store().revoke_registration_token(id).error().status == PGA_E_CONFIG);
    CHECK(fixture.store().revoke_api_key(id).error().status == PGA_E_CONFIG);
  }
  CHECK(fixture.store().revoke_registration_token("4711").error().status == PGA_E_NOTFOUND);
  CHECK(fixture.store().revoke_api_key("4711").error().status == PGA_E_NOTFOUND);
}

TEST_CASE("tokens are forgotten a month after their end") {
  StoreFixture fixture;
  must(fixture.store().add_registration_token(hash_of("old"), 1, 3'600'000, ""));
  must(fixture.store().add_registration_token(hash_of("new"), 1, 3'600'000, ""));
  fixture.server().sql(fixture.database(),
                       "update pganalytics.registration_tokens set expires_at = now() - interval '31 days' "
                       "where token_sha256 = '" +
                           hash_of("old") + "'");
  must(fixture.store().forget_old_credentials());
  CHECK(must(fixture.store().registration_tokens()).size() == 1);
}
