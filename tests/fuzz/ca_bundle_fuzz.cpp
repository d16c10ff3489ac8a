// A CA bundle from a server that cannot be trusted yet, PEM or the DER of one certificate (the first byte says which): refused
// with a reason, or one to four certificates that are the same bundle when they are read again.
// links: pganalytics::transport
#include "core/crypto/keys.h"
#include "core/transport/ca_bundle.h"

#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>

using namespace pganalytics;

namespace {

constexpr std::size_t kBytesMax = 16384;

void require(bool promise) {
  if (!promise) std::abort();
}

std::string as_pem(const std::uint8_t* data, std::size_t size) {
  std::string encoded(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), data, static_cast<int>(size));
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < static_cast<std::size_t>(length); at += 64) {
    pem.append(encoded, at, std::min<std::size_t>(64, static_cast<std::size_t>(length) - at));
    pem += '\n';
  }
  return pem + "-----END CERTIFICATE-----\n";
}

void check(const std::string& pem) {
  const auto certificates = crypto::parse_certificates(pem, transport::kAuthoritiesMax);
  require(certificates ? !certificates.value().empty() && certificates.value().size() <= transport::kAuthoritiesMax
                       : !certificates.error().message.empty());
  const auto bundle = transport::parse_ca_bundle(pem);
  if (!bundle) return require(!bundle.error().message.empty());
  require(static_cast<bool>(certificates));
  const auto again = transport::parse_ca_bundle(bundle.value());
  require(again && again.value() == bundle.value());
  const std::string etag = transport::etag_of_ca_bundle(pem);
  require(!etag.empty() && etag == transport::etag_of_ca_bundle(bundle.value()));
  require(transport::has_all_certificates(pem, bundle.value()) && transport::has_all_certificates(bundle.value(), pem));
  require(transport::ca_bundles_overlap(pem, bundle.value()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kBytesMax) return 0;
  check(data[0] % 2 == 0 ? std::string(reinterpret_cast<const char*>(data) + 1, size - 1) : as_pem(data + 1, size - 1));
  return 0;
}
