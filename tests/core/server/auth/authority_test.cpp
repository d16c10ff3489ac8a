#include "core/server/auth/authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "core/clock/clock.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/server/auth/certificate_template.h"
#include "tests/core/server/auth/unwritable.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using server::auth::Authority;

namespace {

constexpr char kCollector[] = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
constexpr std::int64_t kDayMs = 86'400'000;

std::unique_ptr<Authority> open(const std::string& folder, const std::vector<std::string>& names = {}) {
  auto opened = Authority::open(folder, names);
  if (!opened) FAIL(opened.error().message);
  return std::move(opened).value();
}

crypto::Certificate certificate_in(const std::string& path) {
  return crypto::parse_certificate(files::read(path).value()).value();
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// OpenSSL's own verdict, as any peer would reach it.
bool verifies(X509* leaf, X509* ca, int purpose) {
  X509_STORE* trusted = X509_STORE_new();
  X509_STORE_add_cert(trusted, ca);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, trusted, leaf, nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
  const bool good = X509_verify_cert(context) == 1;
  INFO(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
  X509_STORE_CTX_free(context);
  X509_STORE_free(trusted);
  return good;
}

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

std::string subject_of(X509* certificate) {
  char text[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof text);
  return text;
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

crypto::Key other_key(const char* type, const char* curve) {
  if (curve != nullptr) return crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, type, curve));
  return crypto::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
}

}  // namespace

TEST_CASE("the first start makes a CA and a server certificate that peers accept") {
  const testing::TemporaryFolder folder;
  const std::string data = folder / "deep/data";
  const auto authority = open(data, {"db.example", "10.0.0.7", "2001:DB8::1"});
  CHECK(mode_of(data) == 0700);
  CHECK(mode_of(data + "/ca.key") == 0600);
  CHECK(mode_of(data + "/server.key") == 0600);
  CHECK(authority->ca_file() == data + "/ca.crt");
  CHECK(authority->server_key_file() == data + "/server.key");

  const auto ca = certificate_in(authority->ca_file());
  const auto server = certificate_in(authority->server_certificate_file());
  CHECK(authority->ca_pem() == files::read(authority->ca_file()).value());
  CHECK(authority->ca_pin() == "sha256:" + crypto::public_key_sha256(X509_get0_pubkey(ca.get())));
  CHECK(subject_of(ca.get()) == "/CN=pgAnalytics CA");
  CHECK(X509_check_ca(ca.get()) == 1);
  CHECK(X509_get_pathlen(ca.get()) == 0);
  CHECK(server::auth::names_of(ca.get()).empty());
  CHECK(verifies(server.get(), ca.get(), X509_PURPOSE_SSL_SERVER));
  CHECK_FALSE(verifies(server.get(), ca.get(), X509_PURPOSE_SSL_CLIENT));
  for (const char* name : {"localhost", "db.example"}) CHECK(X509_check_host(server.get(), name, 0, 0, nullptr) == 1);
  for (const char* address : {"127.0.0.1", "::1", "10.0.0.7", "2001:db8::1"})
    CHECK(X509_check_ip_asc(server.get(), address, 0) == 1);
  CHECK(X509_check_host(server.get(), "evil.example", 0, 0, nullptr) == 0);
  const std::string chain = files::read(authority->server_certificate_file()).value();
  CHECK(chain.find(authority->ca_pem()) != std::string::npos);  // the chain that is sent holds the CA
}

TEST_CASE("a second start changes nothing; other names bring another server certificate, never another CA") {
  const testing::TemporaryFolder folder;
  const auto first = open(folder.path());
  const std::string server = files::read(first->server_certificate_file()).value();
  CHECK(files::read(open(folder.path())->server_certificate_file()).value() == server);

  const auto renamed = open(folder.path(), {"db.example"});
  CHECK(files::read(renamed->server_certificate_file()).value() != server);
  CHECK(renamed->ca_pem() == first->ca_pem());
  CHECK(X509_check_host(certificate_in(renamed->server_certificate_file()).get(), "db.example", 0, 0, nullptr) == 1);
}

TEST_CASE("a server certificate past half its life, of the future, or of another kind is replaced at the next start") {
  const testing::TemporaryFolder folder;
  const auto authority = open(folder.path());
  const auto ca_key = crypto::parse_private_key(files::read(folder / "ca.key").value()).value();
  const auto ca = certificate_in(folder / "ca.crt");
  const auto key = crypto::parse_private_key(files::read(folder / "server.key").value()).value();
  const auto names = server::auth::server_names({}).value();
  const auto plant = [&](int age_days) {
    const auto old = server::auth::make_server_certificate({ca_key.get(), ca.get()}, key.get(), names,
                                                           clock::now_unix_ns() - age_days * kDayMs * 1'000'000);
    std::string pem = crypto::to_pem(old.value().get()).value();
    REQUIRE(files::write_atomically(folder / "server.crt", pem, 0644));
    return pem;
  };
  std::string planted = plant(180);
  open(folder.path());
  CHECK(files::read(folder / "server.crt").value() == planted);
  SECTION("past half its life") { planted = plant(190); }
  SECTION("made by a clock that was ahead") { planted = plant(-1); }
  SECTION("a collector's") {
    const auto other = server::auth::make_collector_certificate({ca_key.get(), ca.get()}, key.get(), kCollector,
                                                                clock::now_unix_ns(), 365 * kDayMs);
    planted = crypto::to_pem(other.value().get()).value();
    REQUIRE(files::write_atomically(folder / "server.crt", planted, 0644));
  }
  open(folder.path());
  CHECK(files::read(folder / "server.crt").value() != planted);
  CHECK(server::auth::names_of(certificate_in(folder / "server.crt").get()) == names);
}

TEST_CASE("a server key that cannot be used stops the start, and is not replaced silently") {
  const testing::TemporaryFolder folder;
  open(folder.path());
  SECTION("open to others") { REQUIRE(::chmod((folder / "server.key").c_str(), 0644) == 0); }
  SECTION("garbage") { REQUIRE(files::write_atomically(folder / "server.key", "garbage", 0600)); }
  const std::string before = files::read(folder / "server.key").value();
  const auto opened = Authority::open(folder.path(), {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("server.key") != std::string::npos);
  CHECK(files::read(folder / "server.key").value() == before);
}

TEST_CASE("what a crash between two files leaves is mended") {
  const testing::TemporaryFolder folder;
  const std::string pin = open(folder.path())->ca_pin();
  SECTION("before the server's certificate") { ::unlink((folder / "server.crt").c_str()); }
  SECTION("between its key and it") {
    const auto other = crypto::make_p256_key().value();
    REQUIRE(files::write_atomically(folder / "server.key", crypto::to_pem(other.get()).value(), 0600));
  }
  SECTION("garbage in it") { REQUIRE(files::write_atomically(folder / "server.crt", "garbage", 0644)); }
  SECTION("before ca.crt: the key that is there is used") { ::unlink((folder / "ca.crt").c_str()); }
  const auto mended = open(folder.path());
  CHECK(mended->ca_pin() == pin);
  const auto server = certificate_in(folder / "server.crt");
  const auto ca = certificate_in(folder / "ca.crt");
  CHECK(verifies(server.get(), ca.get(), X509_PURPOSE_SSL_SERVER));
  CHECK(X509_check_private_key(server.get(),
                               crypto::parse_private_key(files::read(folder / "server.key").value()).value().get()) == 1);
}

TEST_CASE("a CA that has lost its key, or whose key is open to others, is not replaced silently") {
  const testing::TemporaryFolder folder;
  open(folder.path());
  SECTION("lost") { ::unlink((folder / "ca.key").c_str()); }
  SECTION("open") { REQUIRE(::chmod((folder / "ca.key").c_str(), 0644) == 0); }
  SECTION("another") {
    REQUIRE(files::write_atomically(folder / "ca.key", crypto::to_pem(crypto::make_p256_key().value().get()).value(), 0600));
  }
  const auto opened = Authority::open(folder.path(), {});
  REQUIRE_FALSE(opened);
  CHECK_FALSE(opened.error().hint.empty());
}

TEST_CASE("a CA's certificate that cannot be read stops the start, and is not replaced silently") {
  const testing::TemporaryFolder folder;
  open(folder.path());
  ::unlink((folder / "ca.crt").c_str());
  SECTION("garbage") { REQUIRE(files::write_atomically(folder / "ca.crt", "garbage", 0644)); }
  SECTION("a folder") { REQUIRE(files::make_directories(folder / "ca.crt", 0700)); }
  const auto opened = Authority::open(folder.path(), {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("ca.crt") != std::string::npos);
}

TEST_CASE("a CA key that cannot sign as we do stops the first start, with OpenSSL's reason") {
  const testing::TemporaryFolder folder;
  REQUIRE(files::write_atomically(folder / "ca.key", crypto::to_pem(other_key("ED25519", nullptr).get()).value(), 0600));
  const auto opened = Authority::open(folder.path(), {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("cannot make the CA certificate: ") != std::string::npos);
  CHECK(files::stamp_of(folder / "ca.crt").empty());
}

TEST_CASE("a first start that cannot write a file says which, and the next one goes on") {
  const testing::TemporaryFolder folder;
  const auto refused = [](const std::string& data_dir, const std::string& file) {
    INFO(file);
    const auto opened = Authority::open(data_dir, {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message.find(file) != std::string::npos);
  };
  for (const char* file : {"ca.key", "server.key", "server.crt", "ca.crt"}) {
    const testing::Unwritable unwritable(folder / file);
    refused(folder.path(), file);
  }
  open(folder.path());

  refused(folder / "ca.key/data", "ca.key/data");  // below a file
  REQUIRE(files::make_directories(folder / "other/auth.lock", 0700));
  refused(folder / "other", "auth.lock");
}

TEST_CASE("eight starts at once on a fresh folder agree on one CA") {
  const testing::TemporaryFolder folder;
  std::vector<std::string> pins(8);
  std::vector<std::thread> starts;
  for (std::string& pin : pins) {
    starts.emplace_back([&] {
      auto opened = Authority::open(folder / "data", {});
      if (opened) pin = opened.value()->ca_pin();
    });
  }
  for (std::thread& start : starts) start.join();
  CHECK_FALSE(pins[0].empty());
  for (const std::string& pin : pins) CHECK(pin == pins[0]);
}

TEST_CASE("a name that is neither host nor address is refused by name") {
  const testing::TemporaryFolder folder;
  const std::string long_name(254, 'x');
  for (const char* name : {"", "a b", "https://db.example", "db:8443", "-x", "a..b", ".db", "x,DNS:evil", "*.", "db.",
                           "h\xc3\xb6st", long_name.c_str()}) {
    INFO(name);
    const auto opened = Authority::open(folder.path(), {name});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().status == PGA_E_CONFIG);
  }
  CHECK(Authority::open(folder.path(), {"*.db.example", "db_1.example"}));
}

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

TEST_CASE("a certificate without end ends where our clock does") {
  // 9999-12-31 23:59:59, RFC 5280's "no end", in 64-bit nanoseconds would lie in the past.
  crypto::Certificate endless(X509_new());
  REQUIRE(ASN1_TIME_set_string(X509_getm_notAfter(endless.get()), "99991231235959Z") == 1);
  REQUIRE(ASN1_TIME_set_string(X509_getm_notBefore(endless.get()), "00010101000000Z") == 1);
  CHECK(server::auth::not_after_unix_ns(endless.get()) == 9'223'372'035'000'000'000);
  CHECK(server::auth::not_before_unix_ns(endless.get()) == -9'223'372'035'000'000'000);
}
