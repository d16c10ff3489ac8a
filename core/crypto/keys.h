// Keys, certificate requests and certificates as both sides handle them: PEM in, PEM out, and OpenSSL's objects that free
// themselves.
//
// Here: what client and server share. Not here: issuing (core/server/auth). [any thread]
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::crypto {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Request = std::unique_ptr<X509_REQ, FreeWith<X509_REQ_free>>;

Expected<Key> make_p256_key();
Expected<std::string> to_pem(EVP_PKEY* private_key);  // PKCS#8, unencrypted
Expected<Key> parse_private_key(std::string_view pem);

// A request with subject CN = common_name, signed by `key`: the proof of possession.
Expected<std::string> make_csr(EVP_PKEY* key, const std::string& common_name);
Expected<Request> parse_csr(std::string_view pem);

Expected<Certificate> parse_certificate(std::string_view pem);
// Every certificate of the text, at least one, at most `count_max`; what stands between them is ignored.
Expected<std::vector<Certificate>> parse_certificates(std::string_view pem, std::size_t count_max);
Expected<std::string> to_pem(X509* certificate);

std::string public_key_sha256(EVP_PKEY* key);           // hex of SHA-256 of the DER SubjectPublicKeyInfo
std::string certificate_thumbprint(X509* certificate);  // base64url of SHA-256 of the DER (RFC 8705)

// What OpenSSL's error queue says, emptied; "unknown error" if nothing.
std::string openssl_reason();

}  // namespace pganalytics::crypto
