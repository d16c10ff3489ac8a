#include "tests/support/test_authority.h"

#include <openssl/x509v3.h>

#include <stdexcept>

namespace pganalytics::testing {
namespace {

template <class T>
T must(Expected<T> expected) {
  if (!expected) throw std::runtime_error(expected.error().message);
  return std::move(expected).value();
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("extension " + value + ": " + crypto::openssl_reason());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Everything but issuer, extensions and signature.
crypto::Certificate blank(EVP_PKEY* key, const std::string& common_name, long age_seconds) {
  static long serial = 1;
  crypto::Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -age_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * 3600 - age_seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) == 0) throw std::runtime_error("signing: " + crypto::openssl_reason());
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : key_(must(crypto::make_p256_key())), certificate_(blank(key_.get(), name, 60)) {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(certificate_.get(), key_.get());
}

crypto::Certificate TestAuthority::issue(EVP_PKEY* key, const std::string& common_name, const std::string& san,
                                         const std::string& usage) const {
  crypto::Certificate certificate = blank(key, common_name, age_seconds_);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name, san);
  add_extension(certificate.get(), certificate_.get(), NID_ext_key_usage, usage);
  sign(certificate.get(), key_.get());
  return certificate;
}

KeyPair TestAuthority::issue_server(const std::vector<std::string>& names) const {
  std::string san;
  for (const std::string& name : names) san += (san.empty() ? "" : ",") + name;
  const crypto::Key key = must(crypto::make_p256_key());
  const crypto::Certificate certificate = issue(key.get(), "server", san, "serverAuth");
  return {must(crypto::to_pem(key.get())), must(crypto::to_pem(certificate.get()))};
}

std::string TestAuthority::issue_client(const std::string& csr_pem, const std::string& collector_id) const {
  const crypto::Request request = must(crypto::parse_csr(csr_pem));
  const crypto::Certificate certificate =
      issue(X509_REQ_get0_pubkey(request.get()), "collector", "URI:pganalytics:collector:" + collector_id, "clientAuth");
  return must(crypto::to_pem(certificate.get()));
}

KeyPair TestAuthority::issue_client(const std::string& collector_id) const {
  const crypto::Key key = must(crypto::make_p256_key());
  return {must(crypto::to_pem(key.get())), issue_client(must(crypto::make_csr(key.get(), "collector")), collector_id)};
}

std::string TestAuthority::pem() const { return must(crypto::to_pem(certificate_.get())); }
std::string TestAuthority::pin() const { return "sha256:" + crypto::public_key_sha256(key_.get()); }

}  // namespace pganalytics::testing
