// A server's CA and its own certificate: made at the first start, followed and mended at others.
#include "core/server/auth/authority.h"

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "core/clock/clock.h"
#include "core/server/auth/certificate_template.h"
#include "tests/core/server/auth/authority_fixture.h"
#include "tests/core/server/auth/unwritable.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::auth_test;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
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

TEST_CASE("a certificate without end ends where our clock does") {
  // 9999-12-31 23:59:59, RFC 5280's "no end", in 64-bit nanoseconds would lie in the past.
  crypto::Certificate endless(X509_new());
  REQUIRE(ASN1_TIME_set_string(X509_getm_notAfter(endless.get()), "99991231235959Z") == 1);
  REQUIRE(ASN1_TIME_set_string(X509_getm_notBefore(endless.get()), "00010101000000Z") == 1);
  CHECK(server::auth::not_after_unix_ns(endless.get()) == 9'223'372'035'000'000'000);
  CHECK(server::auth::not_before_unix_ns(endless.get()) == -9'223'372'035'000'000'000);
}
