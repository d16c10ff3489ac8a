#include "core/server/auth/access_token.h"

#include <jwt.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdlib>
#include <pganalytics/json.hpp>

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using server::auth::TokenSigner;

namespace {

constexpr char kCollector[] = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
constexpr char kThumbprint[] = "4eVPYWEhVo2yDxnfZ1-pBIYyYkNS9Nvb4wsX3BjS6w8";
constexpr std::int64_t kSecond = 1'000'000'000;

struct HandClock final : clock::Clock {
  std::int64_t now = 1'770'091'445 * kSecond;
  [[nodiscard]] std::int64_t unix_ns() const override { return now; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now; }
};

struct Header {
  jwt_alg_t alg = JWT_ALG_ES256;
  std::string extra;  // JSON members to add, or ""
};

// A signer, its key file, and the forger who may hold either half of the key.
struct Workshop {
  testing::TemporaryFolder folder;
  HandClock clock;
  std::unique_ptr<TokenSigner> signer = open();

  std::unique_ptr<TokenSigner> open() {
    auto opened = TokenSigner::open(folder / "data", clock);
    REQUIRE(opened);
    return std::move(opened).value();
  }

  std::string good() { return signer->issue(kCollector, kThumbprint).value().token; }
  std::string key_pem() { return files::read(folder / "data/jwt.key").value(); }

  std::string kid() {
    const std::string token = good();
    const std::string header = crypto::parse_base64url(token.substr(0, token.find('.'))).value();
    const std::size_t at = header.find("\"kid\":\"") + 7;
    return header.substr(at, header.find('"', at) - at);
  }

  // The claims of a good token, with `name` set to the JSON text `value` ("" = left out).
  std::string claims(const std::string& name = "", const std::string& value = "") {
    const std::int64_t now = clock.now / kSecond;
    std::vector<std::pair<std::string, std::string>> all = {{"iss", "\"pganalytics-server\""},
                                                            {"aud", "\"pganalytics\""},
                                                            {"sub", '"' + std::string(kCollector) + '"'},
                                                            {"nbf", std::to_string(now)},
                                                            {"exp", std::to_string(now + 900)},
                                                            {"cnf", R"({"x5t#S256":")" + std::string(kThumbprint) + "\"}"}};
    std::string json = "{";
    for (auto& [key, text] : all) {
      if (key == name) text = value;
      if (!text.empty()) json += (json.size() > 1 ? ",\"" : "\"") + key + "\":" + text;
    }
    return json + "}";
  }

  // Signed by libjwt itself, so only what the test changes is wrong.
  std::string forge(const std::string& claims_json, const std::string& pem, const Header& header = {},
                    std::optional<std::string> key_id = std::nullopt) {
    jwt_t* jwt = nullptr;
    REQUIRE(jwt_new(&jwt) == 0);
    const auto* key = reinterpret_cast<const unsigned char*>(pem.c_str());
    REQUIRE(jwt_set_alg(jwt, header.alg, header.alg == JWT_ALG_NONE ? nullptr : key,
                        header.alg == JWT_ALG_NONE ? 0 : static_cast<int>(pem.size())) == 0);
    REQUIRE(jwt_add_header(jwt, "kid", key_id.value_or(kid()).c_str()) == 0);
    if (!header.extra.empty()) REQUIRE(jwt_add_headers_json(jwt, header.extra.c_str()) == 0);
    REQUIRE(jwt_add_grants_json(jwt, claims_json.c_str()) == 0);
    char* text = jwt_encode_str(jwt);
    jwt_free(jwt);
    REQUIRE(text != nullptr);
    std::string token = text;
    std::free(text);
    return token;
  }

  // Why it was refused; "" if it was not.
  std::string refusal(const std::string& token) {
    const auto claims = signer->verify(token);
    if (claims) return "";
    CHECK(claims.error().status == PGA_E_DENIED);
    return claims.error().message;
  }
};

std::string public_pem_of(const std::string& private_pem) {
  const crypto::Key key = crypto::parse_private_key(private_pem).value();
  BIO* memory = BIO_new(BIO_s_mem());
  REQUIRE(PEM_write_bio_PUBKEY(memory, key.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free_all(memory);
  return pem;
}

std::string part(const std::string& token, int which) {
  std::size_t from = 0;
  for (int i = 0; i < which; ++i) from = token.find('.', from) + 1;
  return token.substr(from, token.find('.', from) - from);
}

bool mentions(const std::string& text, const std::string& word) {
  if (text.find(word) != std::string::npos) return true;
  UNSCOPED_INFO("the message was: " << text);
  return false;
}

}  // namespace

TEST_CASE("a token carries who it is for and which certificate it is bound to, for 15 minutes") {
  Workshop shop;
  const auto issued = shop.signer->issue(kCollector, kThumbprint);
  REQUIRE(issued);
  CHECK(issued.value().expires_unix_ns == shop.clock.now + 900 * kSecond);
  const auto claims = shop.signer->verify(issued.value().token);
  if (!claims) FAIL(claims.error().message);
  CHECK(claims.value().collector_id == kCollector);
  CHECK(claims.value().certificate_thumbprint == kThumbprint);
  CHECK(claims.value().expires_unix_ns == issued.value().expires_unix_ns);
  const std::string header = crypto::parse_base64url(part(issued.value().token, 0)).value();
  CHECK(mentions(header, R"("alg":"ES256")"));
  CHECK(mentions(header, R"("typ":"JWT")"));
  CHECK(shop.refusal(shop.forge(shop.claims(), shop.key_pem())).empty());  // the forger's own tools work
}

TEST_CASE("the key survives a restart and is nobody else's to read") {
  Workshop shop;
  const std::string token = shop.good();
  shop.signer = shop.open();
  CHECK(shop.refusal(token).empty());
  struct stat status {};
  REQUIRE(::stat((shop.folder / "data/jwt.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(::chmod((shop.folder / "data/jwt.key").c_str(), 0644) == 0);
  const auto opened = TokenSigner::open(shop.folder / "data");
  REQUIRE_FALSE(opened);
  CHECK(mentions(opened.error().hint, "chmod"));
}

TEST_CASE("a token ends 30 seconds after its time and begins a minute before it") {
  Workshop shop;
  const std::string token = shop.good();
  const std::int64_t issued = shop.clock.now;
  shop.clock.now = issued + 929 * kSecond;
  CHECK(shop.refusal(token).empty());
  shop.clock.now = issued + 930 * kSecond;
  CHECK(mentions(shop.refusal(token), "expired"));
  shop.clock.now = issued - 60 * kSecond;
  CHECK(shop.refusal(token).empty());
  shop.clock.now = issued - 61 * kSecond;
  CHECK(mentions(shop.refusal(token), "not valid yet"));
}

TEST_CASE("the algorithm is ours to choose, not the token's") {
  Workshop shop;
  const std::string pem = shop.key_pem();
  CHECK(mentions(shop.refusal(shop.forge(shop.claims(), pem, {JWT_ALG_NONE, ""})), "alg"));
  // The classic: the public key used as an HMAC secret.
  CHECK(mentions(shop.refusal(shop.forge(shop.claims(), public_pem_of(pem), {JWT_ALG_HS256, ""})), "alg"));
  const std::string good = shop.good();
  const std::string none = crypto::base64url(R"({"alg":"none","kid":")" + shop.kid() + R"(","typ":"JWT"})");
  CHECK(mentions(shop.refusal(none + '.' + part(good, 1) + '.'), "alg"));
  CHECK(mentions(shop.refusal(none + '.' + part(good, 1) + '.' + part(good, 2)), "alg"));
  const std::string lower = crypto::base64url(R"({"alg":"es256","kid":")" + shop.kid() + R"(","typ":"JWT"})");
  CHECK(mentions(shop.refusal(lower + '.' + part(good, 1) + '.' + part(good, 2)), "alg"));
}

TEST_CASE("another key does not sign for us") {
  Workshop shop;
  const std::string other = crypto::to_pem(crypto::make_p256_key().value().get()).value();
  CHECK(mentions(shop.refusal(shop.forge(shop.claims(), other)), "signature"));
  CHECK(mentions(shop.refusal(shop.forge(shop.claims(), shop.key_pem(), {}, "0123456789abcdef")), "kid"));
  Workshop stranger;
  CHECK(mentions(shop.refusal(stranger.good()), "kid"));
}

TEST_CASE("a header that brings its own key or conditions is refused before its signature counts") {
  Workshop shop;
  for (const char* extra : {R"({"crit":["exp"]})", R"({"jku":"https://evil.example/keys"})", R"({"x5u":"https://evil.example"})",
                            R"({"jwk":{"kty":"EC"}})", R"({"x5c":["MIIB"]})", R"({"zip":"DEF"})"}) {
    INFO(extra);
    CHECK(mentions(shop.refusal(shop.forge(shop.claims(), shop.key_pem(), {JWT_ALG_ES256, extra})), "header has members"));
  }
}

TEST_CASE("every claim is looked at") {
  Workshop shop;
  const std::string pem = shop.key_pem();
  const std::string now = std::to_string(shop.clock.now / kSecond);
  const std::vector<std::tuple<const char*, std::string, const char*>> wrong = {{"iss", "\"somebody\"", "iss"},
                                                                                {"iss", "", "iss"},
                                                                                {"aud", "\"other\"", "aud"},
                                                                                {"aud", "[\"pganalytics\"]", "aud"},
                                                                                {"sub", "", "sub"},
                                                                                {"sub", "\"\"", "sub"},
                                                                                {"sub", "7", "sub"},
                                                                                {"exp", "", "exp"},
                                                                                {"exp", "\"" + now + "\"", "exp"},
                                                                                {"exp", "1e300", "exp"},
                                                                                {"exp", "9223372036854775807", "exp"},
                                                                                {"exp", "-1", "exp"},
                                                                                {"exp", "1", "expired"},
                                                                                {"nbf", "", "nbf"},
                                                                                {"nbf", "4000000000", "not valid yet"},
                                                                                {"cnf", "", "cnf"},
                                                                                {"cnf", "{}", "bound"},
                                                                                {"cnf", "\"x\"", "cnf"},
                                                                                {"cnf", R"({"x5t#S256":""})", "bound"}};
  for (const auto& [name, value, why] : wrong) {
    INFO(name << " = " << value);
    CHECK(mentions(shop.refusal(shop.forge(shop.claims(name, value), pem)), why));
  }
}

TEST_CASE("a changed byte anywhere is a refused token") {
  Workshop shop;
  const std::string token = shop.good();
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    INFO(i);
    CHECK_FALSE(shop.refusal(changed).empty());
  }
  const std::string other = shop.signer->issue("11111111-1111-4111-8111-111111111111", kThumbprint).value().token;
  CHECK(mentions(shop.refusal(part(token, 0) + '.' + part(other, 1) + '.' + part(token, 2)), "signature"));
}

TEST_CASE("anything but three strict parts is refused") {
  Workshop shop;
  const std::string token = shop.good();
  const std::string a = part(token, 0), b = part(token, 1), c = part(token, 2);
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), a + "." + b, token + ".", token + "." + c,
        token + "=", a + "=." + b + "." + c, token + "\n", " " + token, a + "." + b + "=." + c, a + "." + b + ".",
        std::string(2049, 'a'), a + "." + std::string(4000, 'A') + "." + c, std::string("\0\0", 2),
        a + "." + b + "." + c.substr(0, 84), a + "." + b + "." + c + "AA"}) {
    CHECK_FALSE(shop.refusal(text).empty());
  }
  const std::string twice = crypto::base64url(R"({"alg":"none","alg":"ES256","kid":")" + shop.kid() + R"(","typ":"JWT"})");
  CHECK(mentions(shop.refusal(twice + '.' + b + '.' + c), "header"));
  const std::string untyped = crypto::base64url(R"({"alg":"ES256","kid":")" + shop.kid() + R"(","typ":"JOSE"})");
  CHECK(mentions(shop.refusal(untyped + '.' + b + '.' + c), "typ"));
}
