#include "core/server/auth/authority.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/files/file_lock.h"
#include "core/files/files.h"
#include "core/server/auth/ca_files.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/key_file.h"

#include <openssl/core_names.h>

#include <mutex>
#include <set>

namespace pganalytics::server::auth {
namespace {

constexpr std::size_t kCsrMaxBytes = 16 * 1024;
constexpr mode_t kPublicMode = 0644;

Error bad_csr(const std::string& why) {
  return Error{PGA_E_CONFIG, "auth.bad_csr", "certificate request refused: " + why,
               "Send a PKCS#10 request in PEM, signed with its own P-256 or Ed25519 key.", 0};
}

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
      : ca(folder), lock(key_lock_path(folder)), server_key(folder + "/server.key"), server_certificate(folder + "/server.crt") {}
  CaFiles ca;
  std::string lock, server_key, server_certificate;

  [[nodiscard]] std::string stamp() const {
    return stamp_of_ca(ca) + files::stamp_of(server_key) + "/" + files::stamp_of(server_certificate);
  }
};

std::int64_t renew_at_unix_ns(X509* certificate) {
  const std::int64_t from = not_before_unix_ns(certificate);
  return from + (not_after_unix_ns(certificate) - from) / 2;
}

// In force for at least half its life yet, for these names, from this CA, with the key beside it.
bool still_good(X509* certificate, EVP_PKEY* key, const CaSet& ca, const std::set<std::string>& names, std::int64_t now) {
  const bool ours = X509_verify(certificate, ca.key.get()) == 1 && X509_check_private_key(certificate, key) == 1;
  if (!ours) static_cast<void>(crypto::openssl_reason());
  return ours && names_of(certificate) == names && not_before_unix_ns(certificate) <= now && now < renew_at_unix_ns(certificate);
}

// Returns when the next one is due.
Expected<std::int64_t> ensure_server_certificate(const Files& files, const CaSet& ca, const std::set<std::string>& names,
                                                 std::int64_t now) {
  auto key = read_key_file(files.server_key);
  if (!key && key.error().status != PGA_E_NOTFOUND) return std::move(key).error();
  const auto present = read_certificate(files.server_certificate);
  if (key && present && still_good(present.value().get(), key.value().get(), ca, names, now)) {
    return renew_at_unix_ns(present.value().get());
  }

  PGA_TRY(const crypto::Key fresh, crypto::make_p256_key());
  const Signer signer{ca.key.get(), ca.certificate.get()};
  PGA_TRY(const crypto::Certificate certificate, make_server_certificate(signer, fresh.get(), names, now));
  PGA_TRY(const std::string leaf_pem, crypto::to_pem(certificate.get()));
  PGA_TRY(const std::string ca_pem, crypto::to_pem(ca.certificate.get()));
  // A crash between the two leaves a key that does not fit: the next start sees it and makes both again. The CA goes into the
  // chain, so that a collector that knows only its pin can check it.
  PGA_CHECK(write_key_file(files.server_key, fresh.get()));
  PGA_CHECK(files::write_atomically(files.server_certificate, leaf_pem + ca_pem, kPublicMode));
  return renew_at_unix_ns(certificate.get());
}

Expected<IssuedCertificate> describe(X509* certificate) {
  IssuedCertificate issued;
  PGA_TRY(issued.certificate_pem, crypto::to_pem(certificate));
  issued.public_key_sha256 = crypto::public_key_sha256(X509_get0_pubkey(certificate));
  issued.thumbprint_sha256 = crypto::certificate_thumbprint(certificate);
  issued.not_before_unix_ns = not_before_unix_ns(certificate);
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

namespace {

// What the authority says between two refreshes.
struct State {
  CaSet ca;
  std::string pem, bundle, pin, etag;
  std::int64_t renew_server_at_unix_ns = 0;
  std::string stamp;
};

Expected<State> load(const Files& files, const std::set<std::string>& names, std::int64_t now) {
  PGA_TRY(const files::FileLock lock, files::FileLock::take(files.lock, kKeyLockPatience));
  State state;
  PGA_TRY(state.ca, open_ca(files.ca, now));
  PGA_TRY(state.renew_server_at_unix_ns, ensure_server_certificate(files, state.ca, names, now));
  // Last: whoever sees ca.crt sees a data directory that is complete.
  PGA_CHECK(write_ca_certificates(files.ca, state.ca));
  PGA_TRY(state.pem, crypto::to_pem(state.ca.certificate.get()));
  PGA_TRY(state.bundle, bundle_of(state.ca));
  state.pin = pin_of(state.ca.certificate.get());
  state.etag = '"' + crypto::sha256_hex(state.bundle).substr(0, 32) + '"';
  state.stamp = files.stamp();
  return state;
}

}  // namespace

class Authority::Impl {
 public:
  Impl(Files paths, std::set<std::string> names, const clock::Clock& clock, State first)
      : files(std::move(paths)),
        names_(std::move(names)),
        clock_(clock),
        state_(std::make_shared<const State>(std::move(first))) {}

  [[nodiscard]] std::shared_ptr<const State> state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }

  Expected<bool> refresh() {
    const auto before = state();
    if (files.stamp() == before->stamp && clock_.unix_ns() < before->renew_server_at_unix_ns) return false;
    PGA_TRY(State next, load(files, names_, clock_.unix_ns()));
    const bool changed = next.stamp != before->stamp;
    const std::lock_guard lock(mutex_);
    state_ = std::make_shared<const State>(std::move(next));
    return changed;
  }

  Expected<IssuedCertificate> issue(EVP_PKEY* public_key, const std::string& collector_id, std::int64_t life_ms) const {
    const auto now = state();
    const Signer signer{now->ca.key.get(), now->ca.certificate.get()};
    PGA_TRY(const crypto::Certificate made,
            make_collector_certificate(signer, public_key, collector_id, clock_.unix_ns(), life_ms));
    PGA_TRY(IssuedCertificate issued, describe(made.get()));
    issued.ca_pin = now->pin;
    return issued;
  }

  const Files files;

 private:
  const std::set<std::string> names_;
  const clock::Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_;
};

Authority::Authority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Authority::~Authority() = default;

Expected<std::unique_ptr<Authority>> Authority::open(const std::string& data_dir, const std::vector<std::string>& names,
                                                     const clock::Clock& clock) {
  PGA_TRY(std::set<std::string> all_names, server_names(names));
  PGA_CHECK(files::make_directories(data_dir, 0700));
  const Files files(data_dir);
  PGA_TRY(State state, load(files, all_names, clock.unix_ns()));
  return std::unique_ptr<Authority>(new Authority(std::make_unique<Impl>(files, std::move(all_names), clock, std::move(state))));
}

Expected<bool> Authority::refresh() { return impl_->refresh(); }

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

std::string Authority::ca_pem() const { return impl_->state()->pem; }
std::string Authority::ca_pin() const { return impl_->state()->pin; }
std::string Authority::ca_bundle() const { return impl_->state()->bundle; }
std::string Authority::ca_etag() const { return impl_->state()->etag; }
std::string Authority::ca_file() const { return impl_->files.ca.certificate; }
std::string Authority::server_certificate_file() const { return impl_->files.server_certificate; }
std::string Authority::server_key_file() const { return impl_->files.server_key; }

}  // namespace pganalytics::server::auth
