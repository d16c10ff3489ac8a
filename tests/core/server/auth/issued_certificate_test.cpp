// What a collector's request gets, and which are refused.
#include <openssl/pem.h>

#include "core/clock/clock.h"
#include "core/server/auth/certificate_template.h"
#include "tests/core/server/auth/authority_fixture.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::auth_test;

namespace {

std::string uri_of(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  REQUIRE(names != nullptr);
  std::string uri;
  if (sk_GENERAL_NAME_num(names) == 1) {
    int type = 0;
    const auto* text = static_cast<ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type));
    if (type == GEN_URI)
      uri.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  return uri;
}

std::string csr_with(EVP_PKEY* key) { return crypto::make_csr(key, "root,CN=admin").value(); }

std::string pem_of(X509_REQ* request) {
  BIO* memory = BIO_new(BIO_s_mem());
  REQUIRE(PEM_write_bio_X509_REQ(memory, request) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free_all(memory);
  return pem;
}

// P-256, but the curve written out instead of named.
crypto::Key key_with_curve_of_its_own() {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  REQUIRE(EVP_PKEY_keygen_init(context) == 1);
  REQUIRE(EVP_PKEY_CTX_set_group_name(context, "prime256v1") == 1);
  REQUIRE(EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE) == 1);
  EVP_PKEY* key = nullptr;
  REQUIRE(EVP_PKEY_generate(context, &key) == 1);
  EVP_PKEY_CTX_free(context);
  return crypto::Key(key);
}

// A request whose key is of a kind that nobody knows: the algorithm's name is changed.
std::string csr_with_unknown_key() {
  const crypto::Request request = crypto::parse_csr(csr_with(crypto::make_p256_key().value().get())).value();
  unsigned char* der = nullptr;
  const int size = i2d_X509_REQ(request.get(), &der);
  REQUIRE(size > 0);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  const std::string id_ec_public_key = "\x2a\x86\x48\xce\x3d\x02\x01";
  const std::size_t at = bytes.find(id_ec_public_key);
  REQUIRE(at != std::string::npos);
  bytes[at + id_ec_public_key.size() - 1] = 0x7F;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  const crypto::Request changed(d2i_X509_REQ(nullptr, &from, size));
  REQUIRE(changed);
  return pem_of(changed.get());
}

}  // namespace

TEST_CASE("a collector's certificate says what we say, whatever its request asked for") {
  const testing::TemporaryFolder folder;
  const auto authority = open(folder.path());
  const auto ca = certificate_in(authority->ca_file());
  const crypto::Key keys[] = {crypto::make_p256_key().value(), other_key("ED25519", nullptr)};
  for (const crypto::Key& key : keys) {
    const std::int64_t now = clock::now_unix_ns();
    const std::string csr = csr_with(key.get());
    const auto issued = authority->issue_from_csr(csr, kCollector, 7 * kDayMs);
    REQUIRE(issued);
    const auto certificate = crypto::parse_certificate(issued.value().certificate_pem).value();
    CHECK(subject_of(certificate.get()) == std::string("/CN=") + kCollector);
    CHECK(uri_of(certificate.get()) == std::string("pganalytics:collector:") + kCollector);
    CHECK(verifies(certificate.get(), ca.get(), X509_PURPOSE_SSL_CLIENT));
    CHECK_FALSE(verifies(certificate.get(), ca.get(), X509_PURPOSE_SSL_SERVER));
    CHECK(X509_check_private_key(certificate.get(), key.get()) == 1);
    CHECK(issued.value().thumbprint_sha256 == crypto::certificate_thumbprint(certificate.get()));
    CHECK(issued.value().public_key_sha256 == crypto::public_key_sha256(key.get()));
    CHECK(issued.value().public_key_sha256 == authority->public_key_of_csr(csr).value());
    CHECK(std::abs(issued.value().not_after_unix_ns - (now + 7 * kDayMs * 1'000'000)) < 5'000'000'000);
    const std::int64_t from = server::auth::not_before_unix_ns(certificate.get());
    CHECK(from <= now - 59'000'000'000);
  }
}

TEST_CASE("a collector without an id gets no certificate") {
  const testing::TemporaryFolder folder;
  const auto authority = open(folder.path());
  const auto both = authority->issue_with_key("", kDayMs);
  REQUIRE_FALSE(both);
  CHECK(both.error().code == "auth.openssl");
}

TEST_CASE("the simple form brings a key that fits, and keeps none") {
  const testing::TemporaryFolder folder;
  const auto authority = open(folder.path());
  const auto both = authority->issue_with_key(kCollector, kDayMs);
  REQUIRE(both);
  const auto certificate = crypto::parse_certificate(both.value().certificate.certificate_pem).value();
  const auto key = crypto::parse_private_key(both.value().key_pem).value();
  CHECK(X509_check_private_key(certificate.get(), key.get()) == 1);
  for (const char* file : {"ca.key", "server.key", "ca.crt", "server.crt"}) {
    CHECK(files::read(folder / file).value().find(both.value().key_pem) == std::string::npos);
  }
}

TEST_CASE("a request without proof of possession, of another key type, or that is no request is refused") {
  const testing::TemporaryFolder folder;
  const auto authority = open(folder.path());
  const auto refused = [&](const std::string& csr, const std::string& why) {
    INFO(why);
    const auto issued = authority->issue_from_csr(csr, kCollector, kDayMs);
    REQUIRE_FALSE(issued);
    CHECK(issued.error().status == PGA_E_CONFIG);
    CHECK(issued.error().message.find(why) != std::string::npos);
    CHECK_FALSE(authority->public_key_of_csr(csr));
  };
  refused(csr_with(other_key("EC", "P-384").get()), "P-256");
  refused(csr_with(other_key("EC", "secp256k1").get()), "P-256");
  const crypto::Key rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048)));
  refused(csr_with(rsa.get()), "P-256");
  refused(csr_with(key_with_curve_of_its_own().get()), "P-256");
  refused(csr_with_unknown_key(), "its key cannot be read");
  refused("", "refused");
  refused("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "refused");
  refused(std::string(20'000, 'x'), "16 KiB");

  // Somebody else's public key under our signature.
  const crypto::Key mine = crypto::make_p256_key().value();
  const crypto::Key theirs = crypto::make_p256_key().value();
  crypto::Request request = crypto::parse_csr(csr_with(mine.get())).value();
  REQUIRE(X509_REQ_set_pubkey(request.get(), theirs.get()) == 1);
  REQUIRE(X509_REQ_sign(request.get(), mine.get(), EVP_sha256()) > 0);
  refused(pem_of(request.get()), "signature");
}
