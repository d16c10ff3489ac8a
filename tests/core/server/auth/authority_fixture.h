// An authority in a folder of the test's own, and what any peer would say of its certificates.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/server/auth/authority.h"
#include "tests/support/catch.h"

namespace pganalytics::auth_test {

using server::auth::Authority;

inline constexpr char kCollector[] = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
inline constexpr std::int64_t kDayMs = 86'400'000;

inline std::unique_ptr<Authority> open(const std::string& folder, const std::vector<std::string>& names = {}) {
  auto opened = Authority::open(folder, names);
  if (!opened) FAIL(opened.error().message);
  return std::move(opened).value();
}

inline crypto::Certificate certificate_in(const std::string& path) {
  return crypto::parse_certificate(files::read(path).value()).value();
}

// OpenSSL's own verdict, as any peer would reach it.
inline bool verifies(X509* leaf, X509* ca, int purpose) {
  X509_STORE* trusted = X509_STORE_new();
  X509_STORE_add_cert(trusted, ca);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, trusted, leaf, nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
  const bool good = X509_verify_cert(context) == 1;
  INFO(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
  X509_STORE_CTX_free(context);
  X509_STORE_free(trusted);
  return good;
}

inline std::string subject_of(X509* certificate) {
  char text[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  return text;
}

inline crypto::Key other_key(const char* type, const char* curve) {
  if (curve != nullptr) return crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, type, curve));
  return crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
}

}  // namespace pganalytics::auth_test
