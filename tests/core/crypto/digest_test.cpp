#include "core/crypto/digest.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("SHA-256 of the standard's example") {  // FIPS 180-4, "abc"
  CHECK(crypto::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("base64url: RFC 4648's vectors without padding, and back") {
  const std::pair<const char*, const char*> kVectors[] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : kVectors) {
    CHECK(crypto::base64url(plain) == text);
    CHECK(crypto::parse_base64url(text) == std::string(plain));
  }
  CHECK(crypto::base64url("\xfb\xff") == "-_8");
}

TEST_CASE("base64url takes one text per value and nothing foreign") {
  for (const char* text : {"Z", "Zg==", "Zh", "Zm9v Zg", "Zm9+", "Zm9/"}) {
    INFO(text);
    CHECK_FALSE(crypto::parse_base64url(text).has_value());
  }
}

TEST_CASE("a UUID is random, version 4, and lower case") {
  const std::string id = crypto::uuid_v4();
  REQUIRE(id.size() == 36);
  CHECK(id[14] == '4');
  CHECK(std::string("89ab").find(id[19]) != std::string::npos);
  CHECK(id != crypto::uuid_v4());
}

TEST_CASE("comparison tells different lengths and contents apart") {
  CHECK(crypto::equal_in_constant_time("same", "same"));
  CHECK_FALSE(crypto::equal_in_constant_time("same", "samE"));
  CHECK_FALSE(crypto::equal_in_constant_time("same", "sam"));
}
