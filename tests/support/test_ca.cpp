#include "tests/support/test_ca.h"

#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

#include "core/crypto/digest.h"

namespace pganalytics::testing {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test CA: ") + what + ": " + crypto::openssl_reason());
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "make an extension");
  require(X509_add_ext(certificate, extension, -1) == 1, "add an extension");
  X509_EXTENSION_free(extension);
}

// A certificate with everything but extensions and signature; issuer null = self-signed.
crypto::Certificate blank(const std::string& common_name, EVP_PKEY* key, X509* issuer, long from_s, long to_s) {
  crypto::Certificate certificate(X509_new());
  require(X509_set_version(certificate.get(), 2) == 1, "set the version");
  const std::string serial = crypto::random_bytes(8);
  std::uint64_t number = 0;
  for (const char c : serial) number = number << 8 | static_cast<unsigned char>(c);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), number);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_s);
  require(X509_set_pubkey(certificate.get(), key) == 1, "set the public key");
  return certificate;
}

}  // namespace

TestCa::TestCa(const std::string& name) : key_(crypto::make_p256_key().value()) {
  certificate_ = blank(name, key_.get(), nullptr, -3600, 86400);
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "sign the CA");
  pem_ = crypto::to_pem(certificate_.get()).value();
}

Pem TestCa::issue(const std::string& subject_alt_name, const std::string& usage, long from_s, long to_s) const {
  const crypto::Key key = crypto::make_p256_key().value();
  const crypto::Certificate leaf = blank("leaf", key.get(), certificate_.get(), from_s, to_s);
  add_extension(leaf.get(), certificate_.get(), NID_subject_alt_name, subject_alt_name);
  add_extension(leaf.get(), certificate_.get(), NID_ext_key_usage, usage);
  require(X509_sign(leaf.get(), key_.get(), EVP_sha256()) > 0, "sign a certificate");
  return {crypto::to_pem(leaf.get()).value(), crypto::to_pem(key.get()).value()};
}

}  // namespace pganalytics::testing
