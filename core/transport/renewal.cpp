#include "core/transport/renewal.h"

#include "core/crypto/certificate_time.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"

#include <algorithm>

namespace pganalytics::transport {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string next_of(const std::string& path) { return path + ".next"; }

bool is_pair(const std::string& key_pem, const std::string& certificate_pem) {
  const auto key = crypto::parse_private_key(key_pem);
  const auto certificate = crypto::parse_certificate(certificate_pem);
  return key && certificate && X509_check_private_key(certificate.value().get(), key.value().get()) == 1;
}

Expected<std::int64_t> seconds_of(const ASN1_TIME* time) {
  const auto unix_ns = crypto::unix_ns_of(time);
  if (!unix_ns) return Error{PGA_E_FAIL, "identity.damaged", "a certificate with unreadable dates", "", 0};
  return *unix_ns / kNsPerSecond;
}

}  // namespace

Expected<std::int64_t> renewal_due_unix_ns(const std::string& certificate_pem, double spread) {
  PGA_TRY(const crypto::Certificate certificate, crypto::parse_certificate(certificate_pem));
  PGA_TRY(const std::int64_t begin, seconds_of(X509_get0_notBefore(certificate.get())));
  PGA_TRY(const std::int64_t end, seconds_of(X509_get0_notAfter(certificate.get())));
  const double part = 0.45 + 0.1 * std::clamp(spread, 0.0, 1.0);
  return (begin + static_cast<std::int64_t>(static_cast<double>(end - begin) * part)) * kNsPerSecond;
}

Expected<std::int64_t> certificate_end_unix_ns(const std::string& certificate_pem) {
  PGA_TRY(const crypto::Certificate certificate, crypto::parse_certificate(certificate_pem));
  PGA_TRY(const std::int64_t end, seconds_of(X509_get0_notAfter(certificate.get())));
  return end * kNsPerSecond;
}

std::string stamp_of_identity(const Identity& identity, const std::string& operator_ca_file) {
  return files::stamp_of(identity.key_file) + "/" + files::stamp_of(identity.certificate_file) + "/" +
         files::stamp_of(operator_ca_file.empty() ? identity.ca_file : operator_ca_file);
}

Outcome keep_next_key(const Identity& identity, const std::string& key_pem) {
  return files::write_atomically(next_of(identity.key_file), key_pem, 0600);
}

Outcome keep_next_certificate(const Identity& identity, const std::string& certificate_pem) {
  return files::write_atomically(next_of(identity.certificate_file), certificate_pem, 0644);
}

Outcome settle_renewal(const Identity& identity) {
  const auto key = files::read(next_of(identity.key_file));
  const auto certificate = files::read(next_of(identity.certificate_file));
  if (key && certificate && is_pair(key.value(), certificate.value())) {
    PGA_CHECK(files::write_atomically(identity.key_file, key.value(), 0600));
    PGA_CHECK(files::write_atomically(identity.certificate_file, certificate.value(), 0644));
  }
  return forget_renewal(identity.key_file, identity.certificate_file);
}

// The certificate first: alone it means nothing, a key alone is a request that was never answered.
Outcome forget_renewal(const std::string& key_file, const std::string& certificate_file) {
  PGA_CHECK(files::remove(next_of(certificate_file)));
  return files::remove(next_of(key_file));
}

bool is_on_disk(const Identity& identity, const std::string& key_pem, const std::string& certificate_pem) {
  const auto key = files::read(identity.key_file);
  const auto certificate = files::read(identity.certificate_file);
  return key && certificate && key.value() == key_pem && certificate.value() == certificate_pem;
}

}  // namespace pganalytics::transport
