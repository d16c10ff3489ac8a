// A CA replaced in three steps, each interrupted anywhere.
#include "core/server/auth/ca_files.h"

#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/server/auth/authority.h"
#include "core/server/auth/certificate_template.h"
#include "core/server/auth/key_file.h"
#include "tests/core/server/auth/unwritable.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::server::auth;
using testing::must;

namespace {

struct HandClock final : clock::Clock {
  std::int64_t now = clock::now_unix_ns();
  [[nodiscard]] std::int64_t unix_ns() const override { return now; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now; }
};

struct Rotation {
  testing::TemporaryFolder folder;
  HandClock clock;
  CaFiles files{folder.path()};
  std::unique_ptr<Authority> authority = must(Authority::open(folder.path(), {}, clock));
  std::string old_pin = authority->ca_pin();

  void begin() const { must(begin_ca_rotation(files, clock.now)); }
  void promote() const { must(promote_ca(files, clock.now)); }
  [[nodiscard]] std::size_t trusted() const { return must(crypto::parse_certificates(authority->ca_bundle(), 9)).size(); }
  [[nodiscard]] std::string server_ca() const {
    const auto chain = must(crypto::parse_certificates(must(files::read(authority->server_certificate_file())), 9));
    return pin_of(chain.at(1).get());
  }
};

std::string other_key() { return must(crypto::to_pem(must(crypto::make_p256_key()).get())); }

bool is_turn(const Outcome& step) { return step || step.error().code != "auth.ca_rotation"; }

}  // namespace

TEST_CASE("announced, promoted, retired: who signs and who is trusted, as a running server follows") {
  Rotation test;
  CHECK_FALSE(must(test.authority->refresh()));
  test.begin();
  CHECK(must(test.authority->refresh()));
  CHECK(test.authority->ca_pin() == test.old_pin);
  CHECK(test.trusted() == 2);
  CHECK(test.server_ca() == test.old_pin);
  const std::string etag = test.authority->ca_etag();

  test.promote();
  CHECK(must(test.authority->refresh()));
  const std::string pin = test.authority->ca_pin();
  CHECK(pin != test.old_pin);
  CHECK(test.trusted() == 2);
  CHECK(test.server_ca() == pin);
  CHECK(test.authority->ca_etag() != etag);
  CHECK(must(test.authority->issue_with_key("c", 60'000)).certificate.ca_pin == pin);
  CHECK(files::stamp_of(test.files.next_key).empty());

  must(retire_ca(test.files, test.clock.now));
  CHECK(must(test.authority->refresh()));
  CHECK(test.authority->ca_pin() == pin);
  CHECK(test.trusted() == 1);
  CHECK(must(files::read(test.authority->ca_file())) == test.authority->ca_pem());
  CHECK(must(Authority::open(test.folder.path(), {}))->ca_pin() == pin);
}

TEST_CASE("a step out of turn is refused, with what comes first") {
  Rotation test;
  CHECK_FALSE(is_turn(promote_ca(test.files, test.clock.now)));
  CHECK_FALSE(is_turn(retire_ca(test.files, test.clock.now)));
  test.begin();
  CHECK_FALSE(is_turn(begin_ca_rotation(test.files, test.clock.now)));
  CHECK_FALSE(is_turn(retire_ca(test.files, test.clock.now)));
  test.promote();
  CHECK_FALSE(is_turn(promote_ca(test.files, test.clock.now)));
  CHECK_FALSE(is_turn(begin_ca_rotation(test.files, test.clock.now)));
}

TEST_CASE("what a crash leaves in the middle of a step is brought to an end") {
  Rotation test;
  const std::string old_certificate = must(files::read(test.files.certificate));
  test.begin();
  const std::string announced = must(files::read(test.files.certificate));
  const std::string next_key = must(files::read(test.files.next_key)), next = must(files::read(test.files.next_certificate));
  const std::string next_pin = pin_of(must(crypto::parse_certificate(next)).get());
  std::string expected = test.old_pin;
  std::size_t trusted = 2;
  SECTION("announced, but ca.crt does not say so") {
    must(files::write_atomically(test.files.certificate, old_certificate, 0644));
  }
  SECTION("promotion had kept the old certificate") {
    must(files::write_atomically(test.files.previous_certificate, old_certificate, 0644));
  }
  SECTION("and had written the key") {
    must(files::write_atomically(test.files.previous_certificate, old_certificate, 0644));
    must(files::write_atomically(test.files.key, next_key, 0600));
    expected = next_pin;
  }
  SECTION("and ca.crt") {
    must(files::write_atomically(test.files.previous_certificate, old_certificate, 0644));
    must(files::write_atomically(test.files.key, next_key, 0600));
    must(files::write_atomically(test.files.certificate, next + old_certificate, 0644));
    expected = next_pin;
  }
  SECTION("retirement had removed the old certificate") {
    test.promote();
    must(files::remove(test.files.previous_certificate));
    expected = next_pin;
    trusted = 1;
  }
  const auto opened = must(Authority::open(test.folder.path(), {}, test.clock));
  CHECK(opened->ca_pin() == expected);
  CHECK(must(crypto::parse_certificates(opened->ca_bundle(), 9)).size() == trusted);
  CHECK(must(files::read(test.files.certificate)) == opened->ca_bundle());
  if (expected == test.old_pin) {
    CHECK(announced == opened->ca_bundle());
    test.promote();  // goes on from there
    CHECK(must(Authority::open(test.folder.path(), {}, test.clock))->ca_pin() == next_pin);
  }
}

TEST_CASE("a next CA whose key is another is not promoted") {
  Rotation test;
  test.begin();
  must(files::write_atomically(test.files.next_key, other_key(), 0600));
  CHECK_FALSE(is_turn(promote_ca(test.files, test.clock.now)));
  CHECK(must(Authority::open(test.folder.path(), {}, test.clock))->ca_pin() == test.old_pin);
}

TEST_CASE("files that do not belong together stop a step and a start, not the running server") {
  Rotation test;
  test.begin();
  REQUIRE(must(test.authority->refresh()));
  const std::string bundle = test.authority->ca_bundle();
  SECTION("another key") { must(files::write_atomically(test.files.key, other_key(), 0600)); }
  SECTION("a key open to others") { must(files::write_atomically(test.files.key, must(files::read(test.files.key)), 0644)); }
  SECTION("garbage") { must(files::write_atomically(test.files.next_certificate, "garbage", 0644)); }
  SECTION("a folder") {
    must(files::remove(test.files.next_certificate));
    must(files::make_directories(test.files.next_certificate, 0700));
  }
  for (const auto step : {begin_ca_rotation, promote_ca, retire_ca}) {
    const Outcome done = step(test.files, test.clock.now);
    CHECK_FALSE(done);
    CHECK(is_turn(done));  // it is the files that are wrong
  }
  CHECK_FALSE(test.authority->refresh());
  CHECK(test.authority->ca_bundle() == bundle);
  CHECK_FALSE(Authority::open(test.folder.path(), {}, test.clock));
}

TEST_CASE("a step that cannot write one of its files says which, and the server goes on from there") {
  Rotation test;
  const CaFiles& files = test.files;
  const auto fails_at = [&](const std::string& file, Outcome (*step)(const CaFiles&, std::int64_t)) {
    INFO(file);
    const std::string pin = test.authority->ca_pin();
    const testing::Unwritable unwritable(file);
    const Outcome done = step(files, test.clock.now);
    REQUIRE_FALSE(done);
    CHECK(done.error().message.find(file) != std::string::npos);
    CHECK(test.authority->ca_pin() == pin);
  };
  for (const std::string& file : {files.next_key, files.next_certificate, files.certificate}) fails_at(file, begin_ca_rotation);
  must(test.authority->refresh());
  CHECK(test.trusted() == 2);
  CHECK(must(files::read(files.certificate)) == test.authority->ca_bundle());

  for (const std::string& file : {files.previous_certificate, files.key}) {
    fails_at(file, promote_ca);
    must(test.authority->refresh());
    CHECK(test.authority->ca_pin() == test.old_pin);
  }
  for (int i = 0; i < 2; ++i) fails_at(files.certificate, promote_ca);
  for (const std::string& file : {test.authority->server_key_file(), test.authority->server_certificate_file()}) {
    const testing::Unwritable unwritable(file);
    CHECK_FALSE(test.authority->refresh());
    CHECK(test.authority->ca_pin() == test.old_pin);
  }
  CHECK(must(test.authority->refresh()));
  CHECK(test.authority->ca_pin() != test.old_pin);
  CHECK(test.server_ca() == test.authority->ca_pin());

  fails_at(files.certificate, retire_ca);
  must(test.authority->refresh());
  CHECK(test.trusted() == 1);
  CHECK(must(files::read(files.certificate)) == test.authority->ca_pem());
}

TEST_CASE("the server's certificate is renewed while it runs, when half its life is over") {
  Rotation test;
  const std::string first = must(files::read(test.authority->server_certificate_file()));
  test.clock.now += 180LL * 86'400 * 1'000'000'000;
  CHECK_FALSE(must(test.authority->refresh()));
  test.clock.now += 5LL * 86'400 * 1'000'000'000;
  CHECK(must(test.authority->refresh()));
  CHECK(must(files::read(test.authority->server_certificate_file())) != first);
  CHECK_FALSE(must(test.authority->refresh()));
}
