// Anything as an access token: refused, or three parts whose payload is an object; accepted only with our own signature,
// algorithm and claims. The first byte says what the input is: a token, or a header and a payload, parted by a newline, that
// are signed with the server's key so that the claims behind the signature are reached.
// links: pganalytics::server_auth
#include "core/server/auth/access_token.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/server/auth/signing_keys.h"
#include "core/server/auth/token_shape.h"
#include "tests/fuzz/input_file.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <cstdint>
#include <string>

using namespace pganalytics;
using namespace pganalytics::server::auth;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

struct Site {
  std::unique_ptr<TokenSigner> signer;
  SigningKey key;
  crypto::Key private_key;
};

const Site& site() {
  static const fuzz::Folder folder;
  static const Site made = [] {
    auto signer = TokenSigner::open(folder.path());
    auto keys = read_signing_keys(folder.path());
    require(signer && keys);
    auto key = crypto::parse_private_key(keys.value().current.private_pem);
    require(static_cast<bool>(key));
    return Site{std::move(signer).value(), keys.value().current, std::move(key).value()};
  }();
  return made;
}

// ES256: the two numbers of the signature, 32 bytes each (RFC 7518, section 3.4).
std::string signature_of(const std::string& text) {
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  std::string der(128, '\0');
  std::size_t length = der.size();
  require(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, site().private_key.get()) == 1 &&
          EVP_DigestSign(context, reinterpret_cast<unsigned char*>(der.data()), &length,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  EVP_MD_CTX_free(context);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length));
  std::string raw(64, '\0');
  require(BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(raw.data()), 32) == 32 &&
          BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32) == 32);
  ECDSA_SIG_free(signature);
  return raw;
}

// KID stands for the key's id, which is another one in each process.
std::string with_key_id(std::string text) {
  if (const std::size_t at = text.find("KID"); at != std::string::npos) text.replace(at, 3, site().key.id);
  return text;
}

std::string signed_token(std::string_view input) {
  const std::size_t newline = input.find('\n');
  const std::string_view payload = newline == std::string_view::npos ? std::string_view() : input.substr(newline + 1);
  const std::string text =
      crypto::base64url(with_key_id(std::string(input.substr(0, newline)))) + "." + crypto::base64url(payload);
  return text + "." + crypto::base64url(signature_of(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_signed = data[0] % 2 == 1;
  const std::string token = is_signed ? signed_token(input) : std::string(input);
  const auto payload = unverified_payload(token, site().key.id);
  require(payload ? payload.value().IsObject() && token.size() <= kTokenMaxBytes : payload.error().status == PGA_E_DENIED);
  const auto key_id = key_id_of(token);
  require(key_id ? token.size() <= kTokenMaxBytes : key_id.error().status == PGA_E_DENIED && !payload);
  require(!payload || key_id.value() == site().key.id);
  const auto claims = site().signer->verify(token);
  if (!claims) return 0;
  require(is_signed && payload && !claims.value().collector_id.empty() && !claims.value().certificate_thumbprint.empty());
  require(payload.value()["sub"] == claims.value().collector_id.c_str());
  return 0;
}
