// Which certificates may be trusted as the server's CA, by pin or in a bundle.
#include "core/transport/ca_bundle.h"
#include "core/web/ca_pin.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/test_authority.h"

using namespace pganalytics;
using namespace pganalytics::transport;
using namespace pganalytics::web;
using testing::must;
using testing::TestAuthority;

namespace {

// The authority's own certificate, its name and its key, but under another's signature.
crypto::Certificate signed_by_another(const TestAuthority& authority) {
  auto certificate = must(crypto::parse_certificate(authority.pem()));
  const auto other = must(crypto::make_p256_key());
  REQUIRE(X509_sign(certificate.get(), other.get(), EVP_sha256()) > 0);
  return certificate;
}

bool is_pinned(X509* certificate, const TestAuthority& authority) {
  return is_pinned_ca(certificate, must(parse_ca_pin(authority.pin())));
}

}  // namespace

TEST_CASE("a CA that another signed is not the pinned one, though it has its key") {
  const TestAuthority authority, stranger("stranger");
  CHECK(is_pinned(must(crypto::parse_certificate(authority.pem())).get(), authority));
  CHECK_FALSE(is_pinned(must(crypto::parse_certificate(stranger.pem())).get(), authority));
  CHECK_FALSE(is_pinned(signed_by_another(authority).get(), authority));
}

TEST_CASE("a bundle holds CAs that sign themselves, a few of them, and nothing else") {
  const TestAuthority authority, next("next");
  CHECK(must(parse_ca_bundle(authority.pem() + "some text\n" + next.pem())) == authority.pem() + next.pem());
  std::string bundle, why = "self-signed CA";
  SECTION("none") { why = "not usable"; }
  SECTION("a server's certificate") { bundle = authority.pem() + authority.issue_server().certificate_pem; }
  SECTION("a CA that another signed") { bundle = next.pem() + must(crypto::to_pem(signed_by_another(authority).get())); }
  SECTION("too many") {
    for (std::size_t i = 0; i <= kAuthoritiesMax; ++i) bundle += authority.pem();
    why = "more than";
  }
  const auto refused = parse_ca_bundle(bundle);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains(why));
}
