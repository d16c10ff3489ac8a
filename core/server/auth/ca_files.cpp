#include "core/server/auth/ca_files.h"

#include "core/files/files.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/key_file.h"

namespace pganalytics::server::auth {
namespace {

constexpr mode_t kPublicMode = 0644;

// Null if there is no such file.
Expected<crypto::Certificate> find_certificate(const std::string& path) {
  const auto pem = files::read(path);
  if (!pem && pem.error().status == PGA_E_NOTFOUND) return crypto::Certificate();
  if (!pem) return pem.error();
  auto certificate = crypto::parse_certificate(pem.value());
  if (!certificate) return std::move(certificate).error().while_doing("reading " + path);
  return certificate;
}

bool is_key_of(EVP_PKEY* key, X509* certificate) {
  const bool fits = X509_check_private_key(certificate, key) == 1;
  if (!fits) static_cast<void>(crypto::openssl_reason());
  return fits;
}

Outcome write_certificate(const std::string& path, X509* certificate) {
  PGA_TRY(const std::string pem, crypto::to_pem(certificate));
  return files::write_atomically(path, pem, kPublicMode);
}

// The key that signs is the next CA's already: the rest of promote_ca().
Outcome finish_promotion(const CaFiles& files, CaSet& ca) {
  ca.certificate = std::move(ca.next);
  PGA_CHECK(write_ca_certificates(files, ca));
  PGA_CHECK(files::remove(files.next_certificate));
  return files::remove(files.next_key);
}

// A crash in the middle of promote_ca() left the files of before and after together.
Outcome settle(const CaFiles& files, CaSet& ca) {
  if (!ca.next) return {};
  if (is_key_of(ca.key.get(), ca.next.get())) return finish_promotion(files, ca);
  if (!ca.previous) return {};
  ca.previous.reset();  // promotion had only begun: it is to be asked for again
  return files::remove(files.previous_certificate);
}

Expected<CaSet> make_ca(const CaFiles& files, std::int64_t now) {
  CaSet ca;
  ca.is_new = true;
  PGA_TRY(ca.key, read_or_make_key_file(files.key));
  PGA_TRY(ca.certificate, make_ca_certificate(ca.key.get(), now));
  return ca;
}

Error not_now(const std::string& why, const std::string& hint) { return Error{PGA_E_CONFIG, "auth.ca_rotation", why, hint, 0}; }

}  // namespace

CaFiles::CaFiles(const std::string& data_dir)
    : key(data_dir + "/ca.key"),
      certificate(data_dir + "/ca.crt"),
      next_key(data_dir + "/ca.next.key"),
      next_certificate(data_dir + "/ca.next.crt"),
      previous_certificate(data_dir + "/ca.previous.crt") {}

Expected<CaSet> open_ca(const CaFiles& files, std::int64_t now) {
  CaSet ca;
  PGA_TRY(ca.certificate, find_certificate(files.certificate));
  if (!ca.certificate) return make_ca(files, now);
  auto key = read_key_file(files.key);
  if (!key && key.error().status == PGA_E_NOTFOUND) {
    return Error{PGA_E_CONFIG, "auth.ca_key_missing", files.certificate + " is there but " + files.key + " is not",
                 "Restore ca.key from a backup; or remove ca.crt to begin a new CA, and enrol every collector again.", 0};
  }
  if (!key) return std::move(key).error();
  ca.key = std::move(key).value();
  PGA_TRY(ca.next, find_certificate(files.next_certificate));
  PGA_TRY(ca.previous, find_certificate(files.previous_certificate));
  PGA_CHECK(settle(files, ca));
  if (!is_key_of(ca.key.get(), ca.certificate.get())) {
    return Error{PGA_E_CONFIG, "auth.ca_mismatch", files.key + " is not the key of " + files.certificate,
                 "Restore both files from the same backup.", 0};
  }
  return ca;
}

Expected<std::string> bundle_of(const CaSet& ca) {
  PGA_TRY(std::string bundle, crypto::to_pem(ca.certificate.get()));
  for (X509* other : {ca.next.get(), ca.previous.get()}) {
    if (other == nullptr) continue;
    PGA_TRY(const std::string pem, crypto::to_pem(other));
    bundle += pem;
  }
  return bundle;
}

Outcome write_ca_certificates(const CaFiles& files, const CaSet& ca) {
  PGA_TRY(const std::string bundle, bundle_of(ca));
  if (const auto present = files::read(files.certificate); present && present.value() == bundle) return {};
  return files::write_atomically(files.certificate, bundle, kPublicMode);
}

std::string pin_of(X509* certificate) { return "sha256:" + crypto::public_key_sha256(X509_get0_pubkey(certificate)); }

std::string stamp_of_ca(const CaFiles& files) {
  std::string stamp;
  for (const std::string* path : {&files.key, &files.certificate, &files.next_certificate, &files.previous_certificate}) {
    stamp += files::stamp_of(*path) + "/";
  }
  return stamp;
}

Outcome begin_ca_rotation(const CaFiles& files, std::int64_t now) {
  PGA_TRY(CaSet ca, open_ca(files, now));
  if (ca.next) {
    return not_now("a rotation has begun already",
                   "`pganalytics-server ca show` tells how far it is, `ca promote` is the next step.");
  }
  if (ca.previous) return not_now("the CA before this one is still trusted", "`pganalytics-server ca retire` ends that.");
  PGA_TRY(const crypto::Key key, read_or_make_key_file(files.next_key));
  PGA_TRY(ca.next, make_ca_certificate(key.get(), now));
  PGA_CHECK(write_certificate(files.next_certificate, ca.next.get()));
  return write_ca_certificates(files, ca);
}

Outcome promote_ca(const CaFiles& files, std::int64_t now) {
  PGA_TRY(CaSet ca, open_ca(files, now));
  if (!ca.next) return not_now("there is no next CA", "`pganalytics-server ca rotate` makes one.");
  PGA_TRY(ca.key, read_key_file(files.next_key));
  if (!is_key_of(ca.key.get(), ca.next.get())) {
    return not_now(files.next_key + " is not the key of " + files.next_certificate,
                   "Remove both, and begin again with `pganalytics-server ca rotate`.");
  }
  PGA_CHECK(write_certificate(files.previous_certificate, ca.certificate.get()));
  ca.previous = std::move(ca.certificate);
  PGA_CHECK(write_key_file(files.key, ca.key.get()));  // from here on open_ca() goes forward
  return finish_promotion(files, ca);
}

Outcome retire_ca(const CaFiles& files, std::int64_t now) {
  PGA_TRY(CaSet ca, open_ca(files, now));
  if (!ca.previous) {
    return not_now("there is no CA to retire", ca.next ? "`pganalytics-server ca promote` comes first." : "");
  }
  ca.previous.reset();
  PGA_CHECK(files::remove(files.previous_certificate));
  return write_ca_certificates(files, ca);
}

}  // namespace pganalytics::server::auth
