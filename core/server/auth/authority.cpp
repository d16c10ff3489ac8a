#include "core/server/auth/authority.h"

#include "core/clock/clock.h"
#include "core/crypto/keys.h"
#include "core/files/file_lock.h"
#include "core/files/files.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/key_file.h"

#include <openssl/core_names.h>

namespace pganalytics::server::auth {
namespace {

constexpr std::size_t kCsrMaxBytes = 16 * 1024;
constexpr mode_t kPublicMode = 0644;

Error bad_csr(const std::string& why) {
  return Error{PGA_E_CONFIG, "auth.bad_csr", "certificate request refused: " + why,
               "Send a PKCS#10 request in PEM, signed with its own P-256 or Ed25519 key.", 0};
}

bool is_missing(const Error& error) { return error.status == PGA_E_NOTFOUND; }

bool has_allowed_type(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return true;
  char group[64] = "";
  char encoding[64] = "";
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == "prime256v1" &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, nullptr) == 1 &&
         std::string_view(encoding) == OSSL_PKEY_EC_ENCODING_GROUP;
}

Expected<crypto::Certificate> read_certificate(const std::string& path) {
  PGA_TRY(const std::string pem, files::read(path));
  auto certificate = crypto::parse_certificate(pem);
  if (!certificate) return std::move(certificate).error().while_doing("reading " + path);
  return certificate;
}

struct Files {
  explicit Files(const std::string& folder)
      : lock(key_lock_path(folder)),
        ca_key(folder + "/ca.key"),
        ca_certificate(folder + "/ca.crt"),
        server_key(folder + "/server.key"),
        server_certificate(folder + "/server.crt") {}
  std::string lock, ca_key, ca_certificate, server_key, server_certificate;
};

struct CaPair {
  crypto::Key key;
  crypto::Certificate certificate;
  bool is_new = false;
};

// A certificate without its key is not replaced silently: collectors in the field trust it.
Expected<CaPair> open_ca(const Files& files, std::int64_t now) {
  CaPair ca;
  auto certificate = read_certificate(files.ca_certificate);
  if (!certificate && !is_missing(certificate.error())) return std::move(certificate).error();
  ca.is_new = !certificate;
  if (ca.is_new) {
    PGA_TRY(ca.key, read_or_make_key_file(files.ca_key));
    PGA_TRY(ca.certificate, make_ca_certificate(ca.key.get(), now));
    return ca;
  }
  auto key = read_key_file(files.ca_key);
  if (!key && is_missing(key.error())) {
    return Error{PGA_E_CONFIG, "auth.ca_key_missing", files.ca_certificate + " is there but " + files.ca_key + " is not",
                 "Restore ca.key from a backup; or remove ca.crt to begin a new CA, and enrol every collector again.", 0};
  }
  if (!key) return std::move(key).error();
  ca.key = std::move(key).value();
  ca.certificate = std::move(certificate).value();
  if (X509_check_private_key(ca.certificate.get(), ca.key.get()) != 1) {
    return Error{PGA_E_CONFIG, "auth.ca_mismatch", files.ca_key + " is not the key of " + files.ca_certificate,
                 "Restore both files from the same backup.", 0};
  }
  return ca;
}

// In force for at least half its life yet, for these names, from this CA, with the key beside it.
bool still_good(X509* certificate, EVP_PKEY* key, const CaPair& ca, const std::set<std::string>& names, std::int64_t now) {
  const std::int64_t from = not_before_unix_ns(certificate);
  const std::int64_t to = not_after_unix_ns(certificate);
  return X509_verify(certificate, ca.key.get()) == 1 && X509_check_private_key(certificate, key) == 1 &&
         names_of(certificate) == names && from <= now && now < from + (to - from) / 2;
}

Outcome ensure_server_certificate(const Files& files, const CaPair& ca, const std::set<std::string>& names, std::int64_t now) {
  auto key = read_key_file(files.server_key);
  if (!key && !is_missing(key.error())) return std::move(key).error();
  const auto present = read_certificate(files.server_certificate);
  if (key && present && still_good(present.value().get(), key.value().get(), ca, names, now)) return {};

  PGA_TRY(const crypto::Key fresh, crypto::make_p256_key());
  const Signer signer{ca.key.get(), ca.certificate.get()};
  PGA_TRY(const crypto::Certificate certificate, make_server_certificate(signer, fresh.get(), names, now));
  PGA_TRY(const std::string leaf_pem, crypto::to_pem(certificate.get()));
  PGA_TRY(const std::string ca_pem, crypto::to_pem(ca.certificate.get()));
  // A crash between the two leaves a key that does not fit: the next start sees it and makes both again. The CA goes into the
  // chain, so that a collector that knows only its pin can check it.
  PGA_CHECK(write_key_file(files.server_key, fresh.get()));
  return files::write_atomically(files.server_certificate, leaf_pem + ca_pem, kPublicMode);
}

Expected<IssuedCertificate> describe(X509* certificate) {
  IssuedCertificate issued;
  PGA_TRY(issued.certificate_pem, crypto::to_pem(certificate));
  issued.public_key_sha256 = crypto::public_key_sha256(X509_get0_pubkey(certificate));
  issued.thumbprint_sha256 = crypto::certificate_thumbprint(certificate);
  issued.not_after_unix_ns = not_after_unix_ns(certificate);
  return issued;
}

// The request's key, after the checks; borrowed from it.
Expected<crypto::Request> checked_csr(const std::string& pem) {
  if (pem.size() > kCsrMaxBytes) return bad_csr("it is larger than 16 KiB");
  auto request = crypto::parse_csr(pem);
  if (!request) return bad_csr(request.error().message);
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.value().get());
  if (key == nullptr) return bad_csr("its key cannot be read: " + crypto::openssl_reason());
  if (!has_allowed_type(key)) return bad_csr("its key is neither P-256 nor Ed25519");
  if (X509_REQ_verify(request.value().get(), key) != 1) {
    static_cast<void>(crypto::openssl_reason());
    return bad_csr("its signature is not by its own key");
  }
  return request;
}

}  // namespace

class Authority::Impl {
 public:
  Impl(Files paths, CaPair ca, std::string ca_pem)
      : files(std::move(paths)), key(std::move(ca.key)), certificate(std::move(ca.certificate)), pem(std::move(ca_pem)) {}

  Expected<IssuedCertificate> issue(EVP_PKEY* public_key, const std::string& collector_id, std::int64_t life_ms) const {
    const Signer signer{key.get(), certificate.get()};
    PGA_TRY(const crypto::Certificate made,
            make_collector_certificate(signer, public_key, collector_id, clock::now_unix_ns(), life_ms));
    return describe(made.get());
  }

  Files files;
  crypto::Key key;
  crypto::Certificate certificate;
  std::string pem;
};

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::~Authority() = default;

Expected<std::unique_ptr<Authority>> Authority::open(const std::string& data_dir, const std::vector<std::string>& names) {
  PGA_TRY(const std::set<std::string> all_names, server_names(names));
  PGA_CHECK(files::make_directories(data_dir, 0700));
  const Files files(data_dir);
  const std::int64_t now = clock::now_unix_ns();
  PGA_TRY(const files::FileLock lock, files::FileLock::take(files.lock, kKeyLockPatience));
  PGA_TRY(CaPair ca, open_ca(files, now));
  PGA_CHECK(ensure_server_certificate(files, ca, all_names, now));
  PGA_TRY(std::string pem, crypto::to_pem(ca.certificate.get()));
  // Last: whoever sees ca.crt sees a data directory that is complete.
  if (ca.is_new) PGA_CHECK(files::write_atomically(files.ca_certificate, pem, kPublicMode));
  return std::unique_ptr<Authority>(new Authority(std::make_unique<Impl>(files, std::move(ca), std::move(pem))));
}

Expected<IssuedCertificate> Authority::issue_from_csr(const std::string& csr_pem, const std::string& collector_id,
                                                      std::int64_t life_ms) {
  PGA_TRY(const crypto::Request request, checked_csr(csr_pem));
  return impl_->issue(X509_REQ_get0_pubkey(request.get()), collector_id, life_ms);
}

Expected<std::string> Authority::public_key_of_csr(const std::string& csr_pem) {
  PGA_TRY(const crypto::Request request, checked_csr(csr_pem));
  return crypto::public_key_sha256(X509_REQ_get0_pubkey(request.get()));
}

Expected<Authority::KeyAndCertificate> Authority::issue_with_key(const std::string& collector_id, std::int64_t life_ms) {
  PGA_TRY(const crypto::Key key, crypto::make_p256_key());
  KeyAndCertificate both;
  PGA_TRY(both.certificate, impl_->issue(key.get(), collector_id, life_ms));
  PGA_TRY(both.key_pem, crypto::to_pem(key.get()));
  return both;
}

std::string Authority::ca_pem() const { return impl_->pem; }
std::string Authority::ca_pin() const {
  return "sha256:" + crypto::public_key_sha256(X509_get0_pubkey(impl_->certificate.get()));
}
std::string Authority::ca_file() const { return impl_->files.ca_certificate; }
std::string Authority::server_certificate_file() const { return impl_->files.server_certificate; }
std::string Authority::server_key_file() const { return impl_->files.server_key; }

}  // namespace pganalytics::server::auth
