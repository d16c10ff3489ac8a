// Which certificate of a collector is in force, whatever was lost, copied or restored on the way.
#include "core/crypto/digest.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::NewCertificate;
using server::store::ShownCertificate;
using server::store::Standing;
using Kind = Standing::Kind;
using News = Standing::News;

namespace {

constexpr std::int64_t kDay = 86'400 * kSecond;

// The n-th certificate of a collector, a day after the one before.
NewCertificate certificate(int n, const std::string& name = "c") {
  NewCertificate made;
  made.thumbprint = name + std::to_string(n);
  made.public_key_sha256 = crypto::sha256_hex(made.thumbprint);
  made.ca_pin = "sha256:00";
  made.pem = "PEM of " + made.thumbprint;
  made.not_before_unix_ns = kStart + n * kDay;
  made.not_after_unix_ns = made.not_before_unix_ns + 7 * kDay;
  return made;
}

struct Certified : StoreFixture {
  std::string id = enrol();

  void give(const NewCertificate& made) { must(store().add_certificate(id, made)); }
  static ShownCertificate shown(const NewCertificate& made) {
    return {made.thumbprint, made.public_key_sha256, made.not_before_unix_ns, made.not_after_unix_ns};
  }
  Standing show(const NewCertificate& made) { return must(store().standing(id, shown(made))); }
  server::store::LateStanding show_expired(const NewCertificate& made) {
    return must(store().standing_of_expired(id, shown(made)));
  }
};

}  // namespace

TEST_CASE("the old certificate is good until the new one is used, and never after") {
  Certified test;
  test.give(certificate(1));
  CHECK(test.show(certificate(1)).news == News::kFirstUse);
  CHECK(test.show(certificate(1)).news == News::kNone);
  test.give(certificate(2));
  CHECK(test.show(certificate(1)).kind == Kind::kGood);
  const Standing first = test.show(certificate(2));
  CHECK(first.kind == Kind::kGood);
  CHECK(first.news == News::kFirstUse);
  const Standing old = test.show(certificate(1));
  CHECK(old.kind == Kind::kSuperseded);
  CHECK(old.news == News::kFirstRefusal);  // told once
  CHECK(test.show(certificate(1)).news == News::kNone);
  CHECK(test.show(certificate(2)).kind == Kind::kGood);
}

TEST_CASE("of several renewals whose answers were lost, the one that is used is the one") {
  Certified test;
  test.give(certificate(1));
  REQUIRE(test.show(certificate(1)).kind == Kind::kGood);
  for (int n = 2; n <= 12; ++n) test.give(certificate(n));
  CHECK(test.value("select count(*) from pganalytics.certificates") == "5");  // the one in force and the last four
  CHECK(test.show(certificate(12)).kind == Kind::kGood);
  for (int n = 1; n <= 11; ++n) CHECK(test.show(certificate(n)).kind == Kind::kSuperseded);
}

TEST_CASE("two renewed certificates used at once: exactly one stays in force") {
  Certified test;
  for (int round = 0; round < 10; ++round) {
    const std::string name = "round" + std::to_string(round) + "-";
    test.give(certificate(1, name));
    test.give(certificate(2, name));
    Kind found[2];
    together(2, [&](int i) { found[i] = test.show(certificate(i + 1, name)).kind; });
    const Kind again[2] = {test.show(certificate(1, name)).kind, test.show(certificate(2, name)).kind};
    CHECK((again[0] == Kind::kGood) != (again[1] == Kind::kGood));
    CHECK((found[0] == Kind::kGood || found[1] == Kind::kGood));
  }
}

TEST_CASE("after a restore of the database a newer certificate is taken up, an older one is not") {
  Certified test;
  test.give(certificate(1));
  REQUIRE(test.show(certificate(1)).kind == Kind::kGood);
  const Standing newer = test.show(certificate(2));
  CHECK(newer.kind == Kind::kGood);
  CHECK(newer.news == News::kAdopted);
  CHECK(test.show(certificate(1)).kind == Kind::kSuperseded);
  CHECK(test.show(certificate(0)).kind == Kind::kSuperseded);
  CHECK(test.store().collector(test.id).value().key_origin == "collector");
}

TEST_CASE("a collector that nobody knows, or that was revoked, has no good certificate") {
  Certified test;
  test.give(certificate(1));
  CHECK(test.store().standing("0192f0c1-0000-7000-8000-000000000001", Certified::shown(certificate(1))).value().kind ==
        Kind::kRevoked);
  CHECK(test.store().standing("x", Certified::shown(certificate(1))).value().kind == Kind::kRevoked);
  CHECK(test.store().standing_of_expired("x", Certified::shown(certificate(1))).value().standing.kind == Kind::kRevoked);
  must(test.store().revoke_collector(test.id));
  CHECK(test.show(certificate(1)).kind == Kind::kRevoked);
  CHECK(test.show_expired(certificate(1)).standing.kind == Kind::kRevoked);
}

TEST_CASE("an expired certificate is judged and never put in force") {
  Certified test;
  test.give(certificate(1));
  REQUIRE(test.show(certificate(1)).kind == Kind::kGood);
  test.give(certificate(2));
  CHECK(test.show_expired(certificate(1)).standing.kind == Kind::kGood);
  CHECK(test.show_expired(certificate(2)).standing.kind == Kind::kGood);
  CHECK(test.show(certificate(1)).kind == Kind::kGood);
  CHECK(test.show_expired(certificate(3)).standing.kind == Kind::kGood);  // newer than all we know
  REQUIRE(test.show(certificate(2)).kind == Kind::kGood);
  CHECK(test.show_expired(certificate(1)).standing.kind == Kind::kSuperseded);
  CHECK(test.show_expired(certificate(0)).standing.kind == Kind::kSuperseded);
}

TEST_CASE("late renewals count when they are used, and one in time sets them back") {
  Certified test;
  test.give(certificate(1));
  test.show(certificate(1));
  int n = 1;
  const auto renew = [&](bool late) {
    NewCertificate next = certificate(++n);
    next.late = late;
    test.give(next);
    test.show(next);
  };
  renew(true);
  renew(true);
  NewCertificate unused = certificate(50);
  unused.late = true;
  test.give(unused);
  CHECK(test.show_expired(certificate(n)).late_renewals == 2);
  CHECK(test.store().collector(test.id).value().late_renewals == 2);
  renew(false);
  CHECK(test.show_expired(certificate(n)).late_renewals == 0);
}

TEST_CASE("who made the key is told for the certificate in force") {
  Certified test;
  CHECK(test.store().collector(test.id).value().key_origin.empty());
  NewCertificate simple = certificate(1);
  simple.made_by_server = true;
  test.give(simple);
  CHECK(test.store().collector(test.id).value().key_origin == "server");
  test.show(simple);
  test.give(certificate(2));
  CHECK(test.store().collector(test.id).value().key_origin == "server");  // the new one was not used yet
  test.show(certificate(2));
  const auto row = test.store().collector(test.id).value();
  CHECK(row.key_origin == "collector");
  CHECK(row.certificate_until_unix_ns == certificate(2).not_after_unix_ns / kSecond * kSecond);
  CHECK(row.certificate_ca_pin == "sha256:00");
}

TEST_CASE("what was issued for a key is found again, with what became of it") {
  Certified test;
  const auto known = [&](int n) { return must(test.store().certificate_of_key(test.id, certificate(n).public_key_sha256)); };
  CHECK_FALSE(known(1));
  test.give(certificate(1));
  REQUIRE(known(1));
  CHECK(known(1)->certificate_pem == "PEM of c1");
  CHECK_FALSE(known(1)->used);
  test.show(certificate(1));
  CHECK(known(1)->used);
  test.give(certificate(2));
  test.show(certificate(2));
  CHECK(known(1)->superseded);
  CHECK_FALSE(test.store().certificate_of_key("x", "y").value());
}

TEST_CASE("old certificates are forgotten, but not the last of a collector") {
  Certified test;
  test.give(certificate(1));
  test.show(certificate(1));
  test.give(certificate(2));
  test.show(certificate(2));
  test.server().sql(test.database(), "update pganalytics.certificates set not_after = now() - interval '61 days'");
  must(test.store().forget_old_credentials());
  CHECK(test.value("select string_agg(thumbprint, ',') from pganalytics.certificates") == "c2");
  CHECK(test.show(certificate(1)).kind == Kind::kSuperseded);  // older than what we know
}

TEST_CASE("which CA bundle a collector trusts is remembered") {
  Certified test;
  must(test.store().note_ca(test.id, "\"abc\""));
  CHECK(test.store().collector(test.id).value().ca_etag == "\"abc\"");
  CHECK(test.store().note_ca("x", "\"abc\""));
}

TEST_CASE("a key has one certificate, however many asked for it at once") {
  Certified test;
  test.give(certificate(1));
  NewCertificate twin = certificate(2);
  twin.public_key_sha256 = certificate(1).public_key_sha256;
  CHECK_FALSE(must(test.store().add_certificate(test.id, twin)));
  CHECK(must(test.store().certificate_of_key(test.id, twin.public_key_sha256))->certificate_pem == "PEM of c1");
}

TEST_CASE("a collector that was revoked meanwhile gets no certificate") {
  Certified test;
  must(test.store().revoke_collector(test.id));
  const auto added = test.store().add_certificate(test.id, certificate(1), {"a", "collector.renew", test.id, "", "{}"});
  REQUIRE_FALSE(added);
  CHECK(added.error().status == PGA_E_DENIED);
  CHECK(test.value("select count(*) from pganalytics.certificates") == "0");
  CHECK(test.value("select count(*) from pganalytics.audit") == "0");
}

TEST_CASE("that a certificate came back is written with the verdict, from where, once; or it is told again") {
  Certified test;
  test.give(certificate(1));
  test.show(certificate(1));
  test.give(certificate(2));
  test.show(certificate(2));
  const auto rows = [&](const std::string& action) {
    return test.value("select count(*) || ' ' || coalesce(min(address), '') from pganalytics.audit where subject = '" + test.id +
                      "' and action = 'collector.certificate_" + action + "'");
  };
  test.make_audit_fail();
  CHECK_FALSE(test.store().standing(test.id, Certified::shown(certificate(1)), "192.0.2.7"));
  CHECK_FALSE(test.store().standing(test.id, Certified::shown(certificate(3)), "192.0.2.7"));
  test.make_audit_work();
  for (int i = 0; i < 2; ++i)
    CHECK(test.store().standing(test.id, Certified::shown(certificate(1)), "192.0.2.7")->kind == Kind::kSuperseded);
  CHECK(rows("superseded") == "1 192.0.2.7");
  CHECK(test.store().standing(test.id, Certified::shown(certificate(3)), "192.0.2.8")->news == News::kAdopted);
  CHECK(rows("adopted") == "1 192.0.2.8");
  CHECK(test.store().standing_of_expired(test.id, Certified::shown(certificate(2)), "192.0.2.9")->standing.kind ==
        Kind::kSuperseded);
  CHECK(rows("superseded") == "2 192.0.2.7");
}
