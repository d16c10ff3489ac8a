#include "core/web/ca_pin.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"

#include <openssl/x509v3.h>

#include <algorithm>

namespace pganalytics::web {
namespace {

constexpr std::string_view kPrefix = "sha256:";

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Expected<std::string> parse_ca_pin(std::string_view text) {
  const bool prefixed = text.substr(0, kPrefix.size()) == kPrefix;
  const std::string_view digits = prefixed ? text.substr(kPrefix.size()) : std::string_view{};
  if (digits.size() != 64 || !std::all_of(digits.begin(), digits.end(), is_hex_digit)) {
    return Error{PGA_E_CONFIG, "pin.syntax", "CA pin '" + std::string(text.substr(0, 100)) + "' is not sha256: and 64 hex digits",
                 "Copy the ca_pin that `pganalytics-server token create` printed.", 0};
  }
  std::string hex(digits);
  std::transform(hex.begin(), hex.end(), hex.begin(), lower);
  return hex;
}

bool is_pinned_ca(X509* certificate, const std::string& pin_hex) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key != nullptr && crypto::equal_in_constant_time(crypto::public_key_sha256(key), pin_hex) &&
         X509_check_ca(certificate) == 1 && X509_self_signed(certificate, 1) == 1;
}

X509* find_pinned_ca(const STACK_OF(X509) * chain, const std::string& pin_hex) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* certificate = sk_X509_value(chain, i);
    if (is_pinned_ca(certificate, pin_hex)) return certificate;
  }
  return nullptr;
}

}  // namespace pganalytics::web
