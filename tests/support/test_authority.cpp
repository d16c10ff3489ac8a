#include "tests/support/test_authority.h"

#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

#include "core/crypto/digest.h"
#include "tests/support/must.h"

namespace pganalytics::testing {
namespace {

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error("test CA: " + what + ": " + crypto::openssl_reason());
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "make the extension " + value);
  require(X509_add_ext(certificate, extension, -1) == 1, "add the extension " + value);
  X509_EXTENSION_free(extension);
}

std::uint64_t random_serial() {
  std::uint64_t serial = 0;
  for (const char c : crypto::random_bytes(8)) serial = serial << 8 | static_cast<unsigned char>(c);
  return serial;
}

// Everything but extensions and signature; issuer null: its own.
crypto::Certificate blank(EVP_PKEY* key, const std::string& common_name, X509* issuer, Validity validity) {
  crypto::Certificate certificate(X509_new());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  require(X509_set_version(certificate.get(), 2) == 1, "set the version");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), random_serial());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), validity.from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity.to_s);
  require(X509_set_pubkey(certificate.get(), key) == 1, "set the public key");
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority(const std::string& name)
    : key_(must(crypto::make_p256_key())), certificate_(blank(key_.get(), name, nullptr, {})) {
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate_.get(), certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "sign the CA");
}

std::string TestAuthority::sign(EVP_PKEY* key, const std::string& subject_alt_name, const std::string& usage,
                                Validity validity) const {
  const crypto::Certificate leaf = blank(key, "leaf", certificate_.get(), validity);
  add_extension(leaf.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), certificate_.get(), NID_subject_alt_name, subject_alt_name);
  add_extension(leaf.get(), certificate_.get(), NID_ext_key_usage, usage);
  require(X509_sign(leaf.get(), key_.get(), EVP_sha256()) > 0, "sign a certificate");
  return must(crypto::to_pem(leaf.get()));
}

KeyPair TestAuthority::issue(const std::string& subject_alt_name, const std::string& usage, Validity validity) const {
  const crypto::Key key = must(crypto::make_p256_key());
  return {must(crypto::to_pem(key.get())), sign(key.get(), subject_alt_name, usage, validity)};
}

KeyPair TestAuthority::issue_server(const std::vector<std::string>& names) const {
  std::string subject_alt_name;
  for (const std::string& name : names) subject_alt_name += (subject_alt_name.empty() ? "" : ",") + name;
  return issue(subject_alt_name, "serverAuth");
}

std::string TestAuthority::issue_client(const std::string& csr_pem, const std::string& collector_id) const {
  const crypto::Request request = must(crypto::parse_csr(csr_pem));
  return sign(X509_REQ_get0_pubkey(request.get()), "URI:pganalytics:collector:" + collector_id, "clientAuth", {});
}

KeyPair TestAuthority::issue_client(const std::string& collector_id, Validity validity) const {
  return issue("URI:pganalytics:collector:" + collector_id, "clientAuth", validity);
}

std::string TestAuthority::pem() const { return must(crypto::to_pem(certificate_.get())); }
std::string TestAuthority::pin() const { return "sha256:" + crypto::public_key_sha256(key_.get()); }

}  // namespace pganalytics::testing
