#include "core/transport/ca_bundle.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <set>

namespace pganalytics::transport {
namespace {

constexpr std::size_t kFileCertificatesMax = 64;  // an operator's own file may be larger

Error no_bundle(const std::string& why) {
  return Error{PGA_E_FAIL, "answer.form", "the CA certificates are not usable: " + why, "", 0};
}

Expected<std::string> written_anew(const std::vector<crypto::Certificate>& certificates) {
  std::string text;
  for (const crypto::Certificate& certificate : certificates) {
    PGA_TRY(const std::string pem, crypto::to_pem(certificate.get()));
    text += pem;
  }
  return text;
}

std::set<std::string> thumbprints_of(std::string_view pem) {
  std::set<std::string> found;
  const auto certificates = crypto::parse_certificates(pem, kFileCertificatesMax);
  if (!certificates) return found;
  for (const crypto::Certificate& certificate : certificates.value()) {
    found.insert(crypto::certificate_thumbprint(certificate.get()));
  }
  return found;
}

}  // namespace

Expected<std::string> parse_ca_bundle(std::string_view pem) {
  const auto certificates = crypto::parse_certificates(pem, kAuthoritiesMax);
  if (!certificates) return no_bundle(certificates.error().message);
  for (const crypto::Certificate& certificate : certificates.value()) {
    if (X509_check_ca(certificate.get()) != 1 || X509_self_signed(certificate.get(), 1) != 1) {
      static_cast<void>(crypto::openssl_reason());
      return no_bundle("one of them is not a self-signed CA");
    }
  }
  return written_anew(certificates.value());
}

std::string etag_of_ca_bundle(std::string_view pem) {
  const auto certificates = crypto::parse_certificates(pem, kFileCertificatesMax);
  if (!certificates) return {};
  const auto text = written_anew(certificates.value());
  return text ? '"' + crypto::sha256_hex(text.value()).substr(0, 32) + '"' : std::string();
}

bool has_all_certificates(std::string_view pem, std::string_view wanted_pem) {
  const auto ours = thumbprints_of(pem), wanted = thumbprints_of(wanted_pem);
  return std::includes(ours.begin(), ours.end(), wanted.begin(), wanted.end());
}

bool ca_bundles_overlap(std::string_view pem, std::string_view other_pem) {
  const auto ours = thumbprints_of(pem), theirs = thumbprints_of(other_pem);
  return std::any_of(ours.begin(), ours.end(), [&](const std::string& thumbprint) { return theirs.count(thumbprint) != 0; });
}

}  // namespace pganalytics::transport
