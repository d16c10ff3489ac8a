#include "core/transport/renewal.h"

#include "core/crypto/keys.h"
#include "core/files/files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace pganalytics::transport {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::string next_of(const std::string& path) { return path + ".next"; }

bool is_pair(const std::string& key_pem, const std::string& certificate_pem) {
  const auto key = crypto::parse_private_key(key_pem);
  const auto certificate = crypto::parse_certificate(certificate_pem);
  return key && certificate && X509_check_private_key(certificate.value().get(), key.value().get()) == 1;
}

Outcome remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  const int why = errno;
  // A read-only file system refuses before it looks whether there is anything: a collector starts there all the same.
  if (::access(path.c_str(), F_OK) != 0) return {};
  return Error{PGA_E_FAIL, "file", "removing " + path + ": " + std::strerror(why), "", 0};
}

Expected<std::int64_t> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return Error{PGA_E_FAIL, "identity.damaged", "a certificate with unreadable dates", "", 0};
  return static_cast<std::int64_t>(timegm(&parts));
}

}  // namespace

Expected<std::int64_t> renewal_due_unix_ns(const std::string& certificate_pem, double spread) {
  PGA_TRY(const crypto::Certificate certificate, crypto::parse_certificate(certificate_pem));
  PGA_TRY(const std::int64_t begin, seconds_of(X509_get0_notBefore(certificate.get())));
  PGA_TRY(const std::int64_t end, seconds_of(X509_get0_notAfter(certificate.get())));
  const double part = 0.45 + 0.1 * std::clamp(spread, 0.0, 1.0);
  return (begin + static_cast<std::int64_t>(static_cast<double>(end - begin) * part)) * kNsPerSecond;
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
  // The certificate first: alone it means nothing, a key alone is a request that was never answered.
  PGA_CHECK(remove(next_of(identity.certificate_file)));
  return remove(next_of(identity.key_file));
}

}  // namespace pganalytics::transport
