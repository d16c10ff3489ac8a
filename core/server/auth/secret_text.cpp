#include "core/server/auth/secret_text.h"

#include "core/crypto/digest.h"

#include <cstdint>

namespace pganalytics::server::auth {
namespace {

constexpr std::string_view kTokenPrefix = "pge_";
constexpr std::string_view kKeyPrefix = "pga_";
constexpr std::size_t kRandomBytes = 20;
constexpr std::size_t kBodyLetters = 32;
constexpr std::size_t kChecksumLetters = 6;

// RFC 4648 base32 in lower case, whole groups of five bits only.
std::string base32(std::string_view bytes, std::size_t letters) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  std::uint64_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 5 && text.size() < letters) {
      held -= 5;
      text += kAlphabet[bits >> held & 31];
    }
  }
  return text;
}

std::string checksum(std::string_view text) { return base32(crypto::sha256(text), kChecksumLetters); }

std::string new_secret(std::string_view prefix) {
  std::string text(prefix);
  text += base32(crypto::random_bytes(kRandomBytes), kBodyLetters);
  return text + checksum(text);
}

bool has_form(std::string_view text, std::string_view prefix) {
  if (text.size() != prefix.size() + kBodyLetters + kChecksumLetters || text.substr(0, prefix.size()) != prefix) return false;
  const std::string_view body = text.substr(0, text.size() - kChecksumLetters);
  return checksum(body) == text.substr(body.size());
}

}  // namespace

std::string new_registration_token() { return new_secret(kTokenPrefix); }
std::string new_api_key() { return new_secret(kKeyPrefix); }
bool is_registration_token(std::string_view text) { return has_form(text, kTokenPrefix); }
bool is_api_key(std::string_view text) { return has_form(text, kKeyPrefix); }
std::string sha256_hex(std::string_view secret) { return crypto::sha256_hex(secret); }

}  // namespace pganalytics::server::auth
