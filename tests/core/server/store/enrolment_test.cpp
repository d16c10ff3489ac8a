#include <atomic>
#include <set>

#include "core/crypto/digest.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

const std::string kKey = crypto::sha256_hex("key");
const std::string kOtherKey = crypto::sha256_hex("other key");

struct Applicant {
  StoreFixture& fixture;
  std::string token;
  Expected<std::string> enrol(const std::string& enrollment_id, const std::string& key = kKey,
                              const std::string& hostname = "db1.example") const {
    return fixture.store().enrol_collector(token, "db1", hostname, enrollment_id, key);
  }
  [[nodiscard]] bool denied(const std::string& enrollment_id, const std::string& key = kKey,
                            const std::string& hostname = "db1.example") const {
    const auto result = enrol(enrollment_id, key, hostname);
    return !result && result.error().status == PGA_E_DENIED;
  }
};

}  // namespace

TEST_CASE("one use makes one collector, with the name it gave") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token()};
  const auto id = applicant.enrol(crypto::uuid_v4());
  REQUIRE(id);
  const auto row = fixture.store().collector(id.value());
  REQUIRE(row);
  CHECK(row.value().name == "db1");
  CHECK(row.value().hostname == "db1.example");
  CHECK(row.value().created_unix_ns > kStart);
  CHECK(row.value().last_push_unix_ns == 0);
  CHECK_FALSE(row.value().revoked);
  CHECK(applicant.denied(crypto::uuid_v4()));
  CHECK(fixture.store().collectors().value().size() == 1);
}

TEST_CASE("the same enrolment with the same key gives the same collector, for ten minutes and no other key") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token()};
  const std::string enrolment = crypto::uuid_v4();
  const auto id = applicant.enrol(enrolment);
  REQUIRE(id);
  const auto again = applicant.enrol(enrolment);
  REQUIRE(again);
  CHECK(again.value() == id.value());
  CHECK(applicant.denied(enrolment, kOtherKey));
  CHECK(applicant.denied(crypto::uuid_v4()));
  // Ten minutes go by.
  fixture.server().sql(fixture.database(), "UPDATE pganalytics.enrolments SET enrolled_at = enrolled_at - interval '11 minutes'");
  CHECK(applicant.denied(enrolment));
  CHECK(fixture.store().collectors().value().size() == 1);
}

TEST_CASE("another token does not reach somebody else's enrolment") {
  StoreFixture fixture;
  const std::string enrolment = crypto::uuid_v4();
  const auto id = Applicant{fixture, fixture.token()}.enrol(enrolment);
  REQUIRE(id);
  const auto other = Applicant{fixture, fixture.token()}.enrol(enrolment);
  CHECK((!other || other.value() != id.value()));
}

TEST_CASE("without an enrolment id, or without a key of its own, a repeat is a new use") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token(2)};
  std::set<std::string> ids;
  for (int i = 0; i < 2; ++i) ids.insert(applicant.enrol("", "").value());
  CHECK(ids.size() == 2);
  CHECK(applicant.denied("", ""));
}

TEST_CASE("a token that is unknown, expired or for other hosts is refused") {
  StoreFixture fixture;
  CHECK(Applicant{fixture, crypto::sha256_hex("nobody's")}.denied(crypto::uuid_v4()));
  const Applicant expired{fixture, fixture.token(1, 3'600'000)};
  fixture.server().sql(fixture.database(), "UPDATE pganalytics.registration_tokens SET expires_at = now() - interval '1 second'");
  CHECK(expired.denied(crypto::uuid_v4()));
  const Applicant picky{fixture, fixture.token(2, 3'600'000, "db*.prod.example")};
  CHECK(picky.denied(crypto::uuid_v4(), kKey, "web1.prod.example"));
  CHECK(picky.denied(crypto::uuid_v4(), kKey, ""));
  CHECK(picky.denied(crypto::uuid_v4(), kKey, "db1.prod.example.evil"));
  CHECK(picky.enrol(crypto::uuid_v4(), kKey, "db1.prod.example"));
  CHECK(picky.enrol(crypto::uuid_v4(), kKey, "DB2.prod.example"));  // host names have no case
}

TEST_CASE("a hundred enrolments at once with a token for one: exactly one gets in") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token()};
  std::atomic<int> in{0}, refused{0};
  together(100, [&](int) {
    const auto id = applicant.enrol(crypto::uuid_v4());
    if (id) {
      ++in;
    } else if (id.error().status == PGA_E_DENIED) {
      ++refused;
    }
  });
  CHECK(in == 1);
  CHECK(refused == 99);
  CHECK(fixture.store().collectors().value().size() == 1);
}

TEST_CASE("twenty retries of one enrolment at once are one collector") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token()};
  const std::string enrolment = crypto::uuid_v4();
  std::vector<std::string> ids(20);
  together(20, [&](int i) {
    const auto id = applicant.enrol(enrolment);
    if (id) ids[static_cast<std::size_t>(i)] = id.value();
  });
  CHECK_FALSE(ids[0].empty());
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 1);
}

TEST_CASE("neither tokens nor keys are stored as they are, and API keys have the role they were made with") {
  StoreFixture fixture;
  using server::store::Role;
  const auto hash = [](const char* secret) { return crypto::sha256_hex(secret); };
  REQUIRE(fixture.store().add_api_key(hash("v"), Role::kViewer));
  REQUIRE(fixture.store().add_api_key(hash("o"), Role::kOperator));
  REQUIRE(fixture.store().add_api_key(hash("a"), Role::kAdmin));
  CHECK(fixture.store().role_of_api_key(hash("v")).value() == Role::kViewer);
  CHECK(fixture.store().role_of_api_key(hash("o")).value() == Role::kOperator);
  CHECK(fixture.store().role_of_api_key(hash("a")).value() == Role::kAdmin);
  const auto unknown = fixture.store().role_of_api_key(hash("x"));
  REQUIRE(unknown);
  CHECK_FALSE(unknown.value().has_value());
}

TEST_CASE("a repeat does not bring a revoked collector back") {
  StoreFixture fixture;
  const Applicant applicant{fixture, fixture.token()};
  const std::string enrolment = crypto::uuid_v4();
  const auto id = applicant.enrol(enrolment);
  REQUIRE(id);
  REQUIRE(fixture.store().revoke_collector(id.value()));
  CHECK(applicant.denied(enrolment));
}

TEST_CASE("an enrolment is in the audit log with the token it used, once however often it is repeated") {
  StoreFixture fixture;
  const std::string token = fixture.token(), enrolment = crypto::uuid_v4();
  const server::store::AuditEntry entry{"address:192.0.2.1", "collector.enrol", "", "192.0.2.1", R"({"name":"db1"})"};
  std::string id;
  for (int i = 0; i < 3; ++i) {
    const auto enrolled = fixture.store().enrol_collector(token, "db1", "db1.example", enrolment, kKey, entry);
    REQUIRE(enrolled);
    id = enrolled.value();
  }
  CHECK(fixture.value("select count(*) || ' ' || min(subject) || ' ' || min(detail::text) from pganalytics.audit") ==
        "1 " + id + R"( {"token":"token:1","name":"db1"})");
}
