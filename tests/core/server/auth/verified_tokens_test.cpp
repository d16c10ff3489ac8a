#include "core/server/auth/verified_tokens.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using server::auth::VerifiedClaims;
using server::auth::VerifiedTokens;

namespace {

VerifiedClaims until(std::int64_t expires_s) { return {{"collector", "thumbprint", expires_s * 1'000'000'000}, 0, expires_s}; }
std::string digest(int number) { return VerifiedTokens::digest_of("token " + std::to_string(number)); }

}  // namespace

TEST_CASE("a token is known again by all of its bytes") {
  VerifiedTokens tokens;
  tokens.add(digest(1), until(900), 0);
  REQUIRE(tokens.find(digest(1)));
  CHECK(tokens.find(digest(1))->claims.collector_id == "collector");
  CHECK_FALSE(tokens.find(digest(2)));
  tokens.clear();
  CHECK_FALSE(tokens.find(digest(1)));
}

TEST_CASE("when there is no room what is over goes first, then all") {
  VerifiedTokens tokens(3);
  tokens.add(digest(1), until(10), 0);
  tokens.add(digest(2), until(20), 0);
  tokens.add(digest(3), until(30), 0);
  tokens.add(digest(4), until(30), 20);
  CHECK(tokens.size() == 2);
  CHECK(tokens.find(digest(3)));
  tokens.add(digest(5), until(30), 20);
  tokens.add(digest(6), until(30), 20);
  CHECK(tokens.size() == 1);
  CHECK(tokens.find(digest(6)));
}
