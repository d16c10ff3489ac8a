#include "core/server/http/tls.h"

#include <openssl/x509v3.h>

#include <array>
#include <cstring>
#include <string_view>

#include "core/crypto/certificate_time.h"
#include "core/files/files.h"

namespace pganalytics::server::http {
namespace {

using StoreContext = std::unique_ptr<X509_STORE_CTX, crypto::FreeWith<X509_STORE_CTX_free>>;
struct FreeCertificates {
  void operator()(STACK_OF(X509) * certificates) const { sk_X509_pop_free(certificates, X509_free); }
};
using Certificates = std::unique_ptr<STACK_OF(X509), FreeCertificates>;
using Names = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;

constexpr std::string_view kCollectorUri = "pganalytics:collector:";
constexpr int kAuthLevel = 2;  // SSL_CTX_set_security_level(3): 112 bits, so no SHA-1 and no RSA below 2048

Error tls_error(const std::string& doing) { return Error{PGA_E_CONFIG, "tls", doing + ": " + crypto::openssl_reason(), {}, 0}; }

// OpenSSL asks for a verdict while the handshake runs; ours comes after it, in verified_peer().
int accept_for_now(int, X509_STORE_CTX*) { return 1; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* choice = nullptr;
  if (SSL_select_next_proto(&choice, chosen_size, kHttp11.data(), kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = choice;
  return SSL_TLSEXT_ERR_OK;
}

bool sends(SSL_CTX* context, X509* certificate) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (X509_cmp(sk_X509_value(chain, i), certificate) == 0) return true;
  }
  return false;
}

Outcome load_identity(SSL_CTX* context, const TlsFiles& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_file.c_str()) != 1) {
    return tls_error("load certificate " + files.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return tls_error("load private key " + files.key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return tls_error("match private key " + files.key_file + " with certificate " + files.certificate_file);
  }
  if (files.chain_ca_file.empty()) return {};
  PGA_TRY(const auto pem, files::read(files.chain_ca_file));
  PGA_TRY(const auto ca, crypto::parse_certificate(pem));
  if (sends(context, ca.get())) return {};  // the certificate's file has it already
  if (SSL_CTX_add1_chain_cert(context, ca.get()) != 1) return tls_error("send CA certificate " + files.chain_ca_file);
  return {};
}

Outcome load_client_ca(SSL_CTX* context, const std::string& file) {
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) return tls_error("load CA of the clients " + file);
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr) return tls_error("load CA of the clients " + file);
  SSL_CTX_set_client_CA_list(context, names);  // takes ownership
  return {};
}

// The date of the leaf's end is looked at by each request; every other fault counts here, an expired CA too.
int overlook_expired_leaf(int good, X509_STORE_CTX* check) {
  if (good == 1) return 1;
  const bool expired_leaf =
      X509_STORE_CTX_get_error(check) == X509_V_ERR_CERT_HAS_EXPIRED && X509_STORE_CTX_get_error_depth(check) == 0;
  return expired_leaf ? 1 : 0;
}

bool verifies(SSL* connection, SSL_CTX* context, X509* certificate) {
  const StoreContext check(X509_STORE_CTX_new());
  X509_STORE* trusted = SSL_CTX_get_cert_store(context);
  if (!check || X509_STORE_CTX_init(check.get(), trusted, certificate, SSL_get_peer_cert_chain(connection)) != 1) return false;
  X509_STORE_CTX_set_verify_cb(check.get(), overlook_expired_leaf);
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(check.get()), kAuthLevel);
  return X509_STORE_CTX_set_default(check.get(), "ssl_client") == 1 && X509_verify_cert(check.get()) == 1;
}

// The one collector that it names; a certificate for two is for none.
std::optional<std::string> collector_id_of(X509* certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::optional<std::string> id;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<std::size_t>(ASN1_STRING_length(uri)));
    if (text.substr(0, kCollectorUri.size()) != kCollectorUri) continue;
    if (id) return std::nullopt;
    id = std::string(text.substr(kCollectorUri.size()));
  }
  return id;
}

}  // namespace

Expected<TlsContext> make_tls_context(const TlsFiles& files) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return tls_error("make a TLS context");
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) return tls_error("require TLS 1.3");
  if (SSL_CTX_set1_groups_list(context.get(), "X25519:P-256") != 1) return tls_error("choose TLS groups");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  PGA_CHECK(load_identity(context.get(), files));
  PGA_CHECK(load_client_ca(context.get(), files.client_ca_file));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, accept_for_now);
  return context;
}

std::optional<PeerCertificate> verified_peer(SSL* connection, SSL_CTX* context) {
  X509* certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr || !verifies(connection, context, certificate)) return std::nullopt;
  auto id = collector_id_of(certificate);
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (!id || key == nullptr) return std::nullopt;
  PeerCertificate peer;
  peer.collector_id = std::move(*id);
  peer.thumbprint_sha256 = crypto::certificate_thumbprint(certificate);
  peer.public_key_sha256 = crypto::public_key_sha256(key);
  peer.not_before_unix_ns = crypto::unix_ns_of(X509_get0_notBefore(certificate)).value_or(0);
  peer.not_after_unix_ns = crypto::unix_ns_of(X509_get0_notAfter(certificate)).value_or(0);
  return peer;
}

bool trusts_all_of(SSL_CTX* now, SSL_CTX* before) {
  const auto cas_of = [](SSL_CTX* context) { return Certificates(X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context))); };
  const Certificates known = cas_of(now), wanted = cas_of(before);
  if (!known || !wanted) return false;
  for (int i = 0; i < sk_X509_num(wanted.get()); ++i) {
    X509* const ca = sk_X509_value(wanted.get(), i);
    bool is_known = false;
    for (int k = 0; k < sk_X509_num(known.get()) && !is_known; ++k) is_known = X509_cmp(sk_X509_value(known.get(), k), ca) == 0;
    if (!is_known) return false;
  }
  return true;
}

}  // namespace pganalytics::server::http
