#include "core/transport/renewal.h"

#include "core/clock/clock.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <pganalytics/json.hpp>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::KeyPair;
using testing::make_batch;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;

namespace {

std::string thumbprint(const std::string& certificate_pem) {
  return crypto::certificate_thumbprint(crypto::parse_certificate(certificate_pem).value().get());
}

bool is_pair_on_disk(const Identity& identity) {
  const auto key = crypto::parse_private_key(files::read(identity.key_file).value());
  const auto certificate = crypto::parse_certificate(files::read(identity.certificate_file).value());
  return X509_check_private_key(certificate.value().get(), key.value().get()) == 1;
}

bool nothing_is_left(const Identity& identity) {
  return !std::filesystem::exists(identity.key_file + ".next") && !std::filesystem::exists(identity.certificate_file + ".next");
}

}  // namespace

TEST_CASE("a certificate is renewed around half of its life") {
  const std::string pem = testing::TestAuthority().issue_client(testing::kCollectorId, testing::day_begun(0)).certificate_pem;
  const double hour_ns = 3600e9;
  const auto after_hours = [&](double spread) {
    return static_cast<double>(renewal_due_unix_ns(pem, spread).value() - clock::now_unix_ns()) / hour_ns;
  };
  CHECK(after_hours(0) == Approx(10.8).margin(0.01));
  CHECK(after_hours(0.5) == Approx(12).margin(0.01));
  CHECK(after_hours(1) == Approx(13.2).margin(0.01));
  CHECK_FALSE(renewal_due_unix_ns("garbage", 0));
  CHECK_FALSE(certificate_end_unix_ns("garbage"));
}

TEST_CASE("a certificate that is not due is left alone") {
  ScriptedBackend server;
  server.age_certificate(10 * 3600);
  server.start();
  CHECK(server.open()->renew_certificate_if_due());
  CHECK(server.requests("/certificate").empty());
}

TEST_CASE("a due certificate is renewed with a new key, and used at once with a new token") {
  ScriptedBackend server;
  server.age_certificate(14 * 3600);
  server.start();
  const Identity identity = server.identity();
  const std::string old_key = files::read(identity.key_file).value();
  const auto backend = server.open();
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(server.requests("/certificate").size() == 1);

  const auto pushes = server.requests("/metrics/push");
  CHECK(pushes[0].certificate_thumbprint != pushes[1].certificate_thumbprint);
  CHECK(pushes[1].certificate_thumbprint == thumbprint(files::read(identity.certificate_file).value()));
  CHECK(pushes[1].headers.at("authorization") == "Bearer token-2");
  CHECK(server.requests("/certificate")[0].body.find("PRIVATE") == std::string::npos);
  CHECK(files::read(identity.key_file).value() != old_key);
  CHECK(files::check_private(identity.key_file));
  CHECK(is_pair_on_disk(identity));
  CHECK(nothing_is_left(identity));
}

TEST_CASE("when the renewal fails, the old pair stays and works") {
  ScriptedBackend server;
  server.age_certificate(14 * 3600);
  SECTION("no such route") {
    server.on_certificate = [](const SeenRequest&) { return ScriptedAnswer{404, ""}; };
  }
  SECTION("garbage") {
    server.on_certificate = [](const SeenRequest&) { return ScriptedAnswer{200, R"({"cert":"garbage"})"}; };
  }
  SECTION("a certificate for another key") {
    server.on_certificate = [&](const SeenRequest& request) {
      const auto key = crypto::make_p256_key();
      const auto csr = crypto::make_csr(key.value().get(), "x");
      JsonWriter json;
      json.begin_object().member("csr", csr.value()).end_object();
      SeenRequest other = request;
      other.body = json.text();
      return server.certify(other);
    };
  }
  server.start();
  const Identity identity = server.identity();
  const std::string old_key = files::read(identity.key_file).value();
  const auto backend = server.open();
  CHECK_FALSE(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  CHECK(files::read(identity.key_file).value() == old_key);
  CHECK(is_pair_on_disk(identity));
  REQUIRE(server.open());
  CHECK(nothing_is_left(identity));
}

TEST_CASE("what lies beside the pair and is none is thrown away") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  const KeyPair next = server.authority().issue_client(testing::kCollectorId);
  const std::string key = files::read(identity.key_file).value();
  SECTION("no key") {
    REQUIRE(keep_next_key(identity, "garbage"));
    REQUIRE(keep_next_certificate(identity, next.certificate_pem));
  }
  SECTION("no certificate") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(keep_next_certificate(identity, "garbage"));
  }
  SECTION("a certificate of another key") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(keep_next_certificate(identity, server.authority().issue_client("x").certificate_pem));
  }
  REQUIRE(settle_renewal(identity));
  CHECK(files::read(identity.key_file).value() == key);
  CHECK(is_pair_on_disk(identity));
  CHECK(nothing_is_left(identity));
}

TEST_CASE("a pair that cannot be settled is told by the file in the way") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  std::string path;
  SECTION("the next key") { path = identity.key_file + ".next"; }
  SECTION("the next certificate") { path = identity.certificate_file + ".next"; }
  REQUIRE(std::filesystem::create_directories(path + "/in the way"));
  const auto backend = Backend::open(identity, {});
  REQUIRE_FALSE(backend);
  CHECK_THAT(backend.error().message, Catch::Contains(path));
  std::filesystem::remove_all(path);
  CHECK(Backend::open(identity, {}));
}

TEST_CASE("what is used and what lies on disk are compared whole") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  const std::string key = files::read(identity.key_file).value(), certificate = files::read(identity.certificate_file).value();
  CHECK(is_on_disk(identity, key, certificate));
  CHECK_FALSE(is_on_disk(identity, key, certificate + "\n"));
  CHECK_FALSE(is_on_disk(identity, key + "\n", certificate));
  REQUIRE(files::remove(identity.certificate_file));
  CHECK_FALSE(is_on_disk(identity, key, certificate));
  REQUIRE(files::remove(identity.key_file));
  CHECK_FALSE(is_on_disk(identity, key, certificate));
}

TEST_CASE("from whatever a crash left, a whole pair is found") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  const KeyPair next = server.authority().issue_client(testing::kCollectorId);
  const std::string old = thumbprint(files::read(identity.certificate_file).value());
  std::string expected = thumbprint(next.certificate_pem);

  SECTION("before the request was answered") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    expected = old;
  }
  SECTION("after the answer") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(keep_next_certificate(identity, next.certificate_pem));
  }
  SECTION("after the key was written over") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(keep_next_certificate(identity, next.certificate_pem));
    REQUIRE(files::write_atomically(identity.key_file, next.key_pem, 0600));
  }
  SECTION("after both were written over") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(keep_next_certificate(identity, next.certificate_pem));
    REQUIRE(files::write_atomically(identity.key_file, next.key_pem, 0600));
    REQUIRE(files::write_atomically(identity.certificate_file, next.certificate_pem, 0644));
  }
  SECTION("while cleaning up") {
    REQUIRE(keep_next_key(identity, next.key_pem));
    REQUIRE(files::write_atomically(identity.key_file, next.key_pem, 0600));
    REQUIRE(files::write_atomically(identity.certificate_file, next.certificate_pem, 0644));
  }
  SECTION("a removal that outlived the one before it") {
    REQUIRE(keep_next_certificate(identity, next.certificate_pem));
    REQUIRE(files::write_atomically(identity.key_file, next.key_pem, 0600));
    REQUIRE(files::write_atomically(identity.certificate_file, next.certificate_pem, 0644));
  }
  const auto backend = server.open();
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  CHECK(server.requests("/metrics/push")[0].certificate_thumbprint == expected);
  CHECK(is_pair_on_disk(identity));
  CHECK(nothing_is_left(identity));
}
