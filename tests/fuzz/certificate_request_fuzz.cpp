// A CSR from a stranger, PEM or the DER inside it (the first byte says which), through the authority that would sign it; and
// the same bytes as a certificate and as a key. Whatever is signed has the collector's name and nothing of what was asked for.
// links: pganalytics::server_auth
#include "core/crypto/keys.h"
#include "core/server/auth/authority.h"
#include "tests/fuzz/input_file.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstring>

using namespace pganalytics;

namespace {

constexpr char kCollector[] = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";

void require(bool promise) {
  if (!promise) std::abort();
}

server::auth::Authority& authority() {
  static const fuzz::Folder folder;
  static const auto made = server::auth::Authority::open(folder.path(), {});
  require(static_cast<bool>(made));
  return *made.value();
}

std::string as_pem(const std::uint8_t* data, std::size_t size) {
  std::string encoded(4 * ((size + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), data, static_cast<int>(size));
  std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\n";
  for (std::size_t at = 0; at < static_cast<std::size_t>(length); at += 64) {
    pem.append(encoded, at, std::min<std::size_t>(64, static_cast<std::size_t>(length) - at));
    pem += '\n';
  }
  return pem + "-----END CERTIFICATE REQUEST-----\n";
}

void check_issued(const server::auth::IssuedCertificate& issued) {
  const auto certificate = crypto::parse_certificate(issued.certificate_pem);
  require(static_cast<bool>(certificate));
  require(X509_check_ca(certificate.value().get()) == 0);
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.value().get(), NID_subject_alt_name, nullptr, nullptr));
  require(names != nullptr && sk_GENERAL_NAME_num(names) == 1);
  const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, 0);
  require(name->type == GEN_URI);
  const std::string uri(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
                        static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier)));
  require(uri == std::string("pganalytics:collector:") + kCollector);
  GENERAL_NAMES_free(names);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16384) return 0;
  const std::string pem =
      data[0] % 2 == 0 ? std::string(reinterpret_cast<const char*>(data) + 1, size - 1) : as_pem(data + 1, size - 1);
  const auto key = authority().public_key_of_csr(pem);
  const auto issued = authority().issue_from_csr(pem, kCollector, 3'600'000);
  require(static_cast<bool>(key) == static_cast<bool>(issued));
  if (issued) {
    require(issued.value().public_key_sha256 == key.value());
    check_issued(issued.value());
  }
  if (const auto certificate = crypto::parse_certificate(pem)) {
    require(!crypto::certificate_thumbprint(certificate.value().get()).empty());
    require(static_cast<bool>(crypto::to_pem(certificate.value().get())));
  }
  if (const auto private_key = crypto::parse_private_key(pem))
    require(!crypto::public_key_sha256(private_key.value().get()).empty());
  return 0;
}
