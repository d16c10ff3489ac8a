// The form of a token, before any key is looked at.
#include "core/server/auth/token_shape.h"

#include "core/crypto/digest.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server::auth;

namespace {

constexpr char kKeyId[] = "0123456789abcdef";
constexpr char kHeader[] = R"({"alg":"ES256","kid":"0123456789abcdef","typ":"JWT"})";

std::string token(const std::string& header, const std::string& payload = R"({"sub":"c"})") {
  return crypto::base64url(header) + '.' + crypto::base64url(payload) + '.' + crypto::base64url(std::string(64, 's'));
}

// Why, for both looks at it; the same words from both.
std::string refusal(const std::string& text) {
  const auto key_id = key_id_of(text);
  const auto payload = unverified_payload(text, kKeyId);
  REQUIRE_FALSE(payload);
  CHECK(payload.error().status == PGA_E_DENIED);
  if (!key_id) CHECK(key_id.error().message == payload.error().message);
  return payload.error().message;
}

bool mentions(const std::string& text, const std::string& word) {
  if (text.find(word) != std::string::npos) return true;
  UNSCOPED_INFO("the message was: " << text);
  return false;
}

}  // namespace

TEST_CASE("a well-formed token tells its key's id and its payload") {
  CHECK(key_id_of(token(kHeader)).value() == kKeyId);
  const auto payload = unverified_payload(token(kHeader), kKeyId);
  REQUIRE(payload);
  CHECK(payload.value()["sub"] == "c");
}

TEST_CASE("what is too large or not three parts is refused at either look") {
  CHECK(mentions(refusal(std::string(kTokenMaxBytes + 1, 'a')), "2 KiB"));
  CHECK(mentions(refusal("a.b"), "three parts"));
  CHECK(mentions(refusal("a.b.c.d"), "three parts"));
  CHECK(mentions(refusal("!.b.c"), "header is not base64url"));
}

TEST_CASE("a header is an object with alg, kid and typ as texts of ours") {
  CHECK(mentions(refusal(token("[]")), "header is not an object"));
  CHECK(mentions(refusal(token("{")), "header"));
  CHECK(mentions(refusal(token(R"({"alg":7,"kid":"0123456789abcdef","typ":"JWT"})")), "alg"));
  CHECK(mentions(refusal(token(R"({"kid":"0123456789abcdef","typ":"JWT"})")), "alg"));
  CHECK(mentions(refusal(token(R"({"alg":"ES256","kid":"another","typ":"JWT"})")), "kid is not ours"));
  CHECK(mentions(refusal(token(R"({"alg":"ES256","kid":"0123456789abcdef"})")), "typ"));
  for (const char* header : {R"({"alg":"ES256","typ":"JWT"})", R"({"alg":"ES256","kid":7,"typ":"JWT"})"}) {
    const auto key_id = key_id_of(token(header));
    REQUIRE_FALSE(key_id);
    CHECK(mentions(key_id.error().message, "no kid"));
  }
}

TEST_CASE("a payload is an object too") { CHECK(mentions(refusal(token(kHeader, "7")), "payload is not an object")); }
