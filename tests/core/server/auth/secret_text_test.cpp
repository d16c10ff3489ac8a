#include "core/server/auth/secret_text.h"

#include <set>

#include "tests/support/catch.h"

using namespace pganalytics::server;

TEST_CASE("a secret says what it is, and its checksum catches a slip of the hand") {
  const std::string token = auth::new_registration_token();
  const std::string key = auth::new_api_key();
  CHECK(token.substr(0, 4) == "pge_");
  CHECK(token.size() == 42);
  CHECK(auth::is_registration_token(token));
  CHECK_FALSE(auth::is_api_key(token));
  CHECK(auth::is_api_key(key));
  CHECK_FALSE(auth::is_registration_token(key));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string mistyped = token;
    mistyped[i] = mistyped[i] == 'a' ? 'b' : 'a';
    INFO(mistyped);
    CHECK_FALSE(auth::is_registration_token(mistyped));
  }
}

TEST_CASE("what is no secret of ours is told without asking anybody") {
  const std::string token = auth::new_registration_token();
  for (const std::string& text :
       {std::string(), std::string("pge_"), token.substr(0, 41), token + "a", " " + token, std::string(42, 'a')}) {
    INFO(text);
    CHECK_FALSE(auth::is_registration_token(text));
    CHECK_FALSE(auth::is_api_key(text));
  }
}

TEST_CASE("no two secrets are alike, and the stored form does not hold the secret") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(auth::new_registration_token());
  CHECK(seen.size() == 1000);
  CHECK(auth::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
