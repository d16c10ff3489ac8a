#include "core/crypto/keys.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("a key survives its PEM, and a request proves possession of it") {
  auto key = crypto::make_p256_key();
  REQUIRE(key);
  const auto pem = crypto::to_pem(key->get());
  REQUIRE(pem);
  const auto again = crypto::parse_private_key(*pem);
  REQUIRE(again);
  CHECK(crypto::public_key_sha256(key->get()) == crypto::public_key_sha256(again->get()));

  const auto csr_pem = crypto::make_csr(key->get(), "db1");
  REQUIRE(csr_pem);
  const auto csr = crypto::parse_csr(*csr_pem);
  REQUIRE(csr);
  CHECK(X509_REQ_verify(csr->get(), key->get()) == 1);
}

TEST_CASE("what is not PEM is an error with words, not a crash") {
  for (const std::string& text :
       {std::string(), std::string("garbage"), std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        std::string(100'000, 'x')}) {
    CHECK_FALSE(crypto::parse_private_key(text));
    CHECK_FALSE(crypto::parse_csr(text));
    CHECK_FALSE(crypto::parse_certificate(text));
  }
  CHECK_FALSE(crypto::parse_private_key("garbage").error().message.empty());
}
