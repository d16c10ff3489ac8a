// The keys behind access tokens: rotated by one process, followed by all.
#include "core/server/auth/signing_keys.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/server/auth/access_token.h"
#include "tests/core/server/auth/unwritable.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::server::auth;
using testing::must;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDayMs = 86'400'000;

struct HandClock final : clock::Clock {
  std::int64_t now = clock::now_unix_ns();
  [[nodiscard]] std::int64_t unix_ns() const override { return now; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now; }
};

struct TwoServers {
  testing::TemporaryFolder folder;
  HandClock clock;
  std::unique_ptr<TokenSigner> one = must(TokenSigner::open(folder.path(), clock));
  std::unique_ptr<TokenSigner> two = must(TokenSigner::open(folder.path(), clock));

  [[nodiscard]] static std::string token(const TokenSigner& signer) {
    return must(signer.issue("collector", "thumbprint")).token;
  }
  [[nodiscard]] std::string rotate(PreviousKey previous = PreviousKey::kKeep) const {
    return must(rotate_signing_keys(folder.path(), previous, clock.now));
  }
};

}  // namespace

TEST_CASE("a rotation costs no token, whichever server signed it and whichever looks at it first") {
  TwoServers test;
  const std::string before = TwoServers::token(*test.one);
  const std::string id = test.rotate();
  CHECK(must(test.one->refresh()));
  CHECK_FALSE(must(test.one->refresh()));
  CHECK(test.one->key_id() == id);
  const std::string after = TwoServers::token(*test.one);
  CHECK(test.two->verify(after));  // not told of the rotation: it looks for itself
  CHECK(test.two->key_id() == id);
  for (const auto* server : {test.one.get(), test.two.get()}) {
    CHECK(server->verify(before));
    CHECK(server->verify(after));
  }
}

TEST_CASE("the key before the one before is not good any more") {
  TwoServers test;
  const std::string oldest = TwoServers::token(*test.one);
  static_cast<void>(test.rotate());
  must(test.one->refresh());
  test.clock.now += kSigningOverlapNs + 60 * kSecond;
  static_cast<void>(test.rotate());
  must(test.one->refresh());
  const auto refused = test.one->verify(oldest);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("kid") != std::string::npos);
}

TEST_CASE("a second rotation waits until the tokens of the first key are over, unless they are to end") {
  TwoServers test;
  const std::string before = TwoServers::token(*test.one);
  CHECK(test.one->verify(before));  // and is known from here on
  static_cast<void>(test.rotate());
  const auto again = rotate_signing_keys(test.folder.path(), PreviousKey::kKeep, test.clock.now);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == "auth.signing_key_fresh");
  CHECK(again.error().hint.find("--drop-previous") != std::string::npos);
  static_cast<void>(test.rotate(PreviousKey::kDrop));
  must(test.one->refresh());
  CHECK_FALSE(test.one->verify(before));
  CHECK_FALSE(must(read_signing_keys(test.folder.path())).previous);
}

TEST_CASE("a rotation that cannot write a key costs no token, and can be asked for again") {
  TwoServers test;
  const std::string before = TwoServers::token(*test.one);
  test.clock.now += 2 * kSigningOverlapNs;
  for (const char* file : {"jwt.previous.key", "jwt.key"}) {
    INFO(file);
    const testing::Unwritable unwritable(test.folder / file);
    const auto rotated = rotate_signing_keys(test.folder.path(), PreviousKey::kKeep, test.clock.now);
    REQUIRE_FALSE(rotated);
    CHECK(rotated.error().message.find(file) != std::string::npos);
    must(test.one->refresh());
  }
  const std::string id = test.rotate();
  must(test.one->refresh());
  CHECK(test.one->key_id() == id);
  test.clock.now -= 2 * kSigningOverlapNs;
  CHECK(test.one->verify(before));
}

TEST_CASE("a first start that cannot make its key says so") {
  testing::TemporaryFolder folder;
  std::string data = folder / "data", file = "jwt.key";
  SECTION("a file cannot be written") { std::filesystem::create_directories(folder / "data/jwt.key.new"); }
  SECTION("nor the lock taken") { std::filesystem::create_directories(folder / (file = "data/auth.lock")); }
  SECTION("nor the folder made") { must(files::write_atomically(folder / (file = "data"), "", 0600)); }
  for (const auto& opened : {TokenSigner::open(data).error(), rotate_signing_keys(data, PreviousKey::kKeep, 0).error()}) {
    CHECK(opened.message.find(file) != std::string::npos);
  }
}

TEST_CASE("a key is rotated by its age, once, by whichever server is first") {
  TwoServers test;
  CHECK_FALSE(must(test.one->rotate_if_older_than(90 * kDayMs)));
  const std::string before = test.one->key_id();
  test.clock.now += 91 * kDayMs * 1'000'000;
  CHECK(must(test.one->rotate_if_older_than(90 * kDayMs)));
  CHECK(test.one->key_id() != before);
  test.clock.now = clock::now_unix_ns();  // the file is as old as it says
  must(test.two->refresh());
  CHECK_FALSE(must(test.two->rotate_if_older_than(90 * kDayMs)));
  CHECK(test.two->key_id() == test.one->key_id());
}

TEST_CASE("a server that was not told of another's rotation follows it instead of rotating once more") {
  testing::TemporaryFolder folder;
  HandClock clock;
  must(open_signing_keys(folder.path()));
  const timespec old{static_cast<time_t>(clock.now / kSecond - 91 * kDayMs / 1000), 0}, times[] = {old, old};
  REQUIRE(::utimensat(AT_FDCWD, (folder / "jwt.key").c_str(), times, 0) == 0);
  const auto one = must(TokenSigner::open(folder.path(), clock)), two = must(TokenSigner::open(folder.path(), clock));
  const std::string before = TwoServers::token(*two);
  CHECK(must(one->rotate_if_older_than(90 * kDayMs)));
  CHECK_FALSE(must(two->rotate_if_older_than(90 * kDayMs)));
  CHECK(two->key_id() == one->key_id());
  CHECK(one->verify(before));
}

TEST_CASE("tokens with made-up key ids make a server look at its files once a second at most") {
  TwoServers test;
  const std::string id = test.rotate();
  must(test.one->refresh());
  const std::string real = TwoServers::token(*test.one);
  testing::TemporaryFolder elsewhere;
  const auto stranger = must(TokenSigner::open(elsewhere.path(), test.clock));
  CHECK_FALSE(test.one->verify(TwoServers::token(*stranger)));
  CHECK_FALSE(test.two->verify(TwoServers::token(*stranger)));  // has looked now
  CHECK(test.two->key_id() == id);
  CHECK(test.two->verify(real));
  static_cast<void>(test.rotate(PreviousKey::kDrop));
  must(test.one->refresh());
  const std::string newest = TwoServers::token(*test.one);
  CHECK_FALSE(test.two->verify(newest));
  test.clock.now += kSecond;
  CHECK(test.two->verify(newest));
}

TEST_CASE("key files that cannot be used leave the keys in use as they are") {
  TwoServers test;
  const std::string token = TwoServers::token(*test.one);
  const std::string path = test.folder / "jwt.key";
  SECTION("garbage") { must(files::write_atomically(path, "garbage", 0600)); }
  SECTION("open to others") { REQUIRE(::chmod((must(files::write_atomically(path, "x", 0600)), path).c_str(), 0644) == 0); }
  SECTION("another kind of key") {
    const crypto::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    must(files::write_atomically(path, must(crypto::to_pem(key.get())), 0600));
  }
  SECTION("a key of another curve") {
    const crypto::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
    must(files::write_atomically(path, must(crypto::to_pem(key.get())), 0600));
  }
  SECTION("a bad key before it") { must(files::write_atomically(test.folder / "jwt.previous.key", "garbage", 0600)); }
  CHECK_FALSE(test.one->refresh());
  testing::TemporaryFolder elsewhere;
  CHECK_FALSE(test.one->verify(TwoServers::token(*must(TokenSigner::open(elsewhere.path(), test.clock)))));
  test.clock.now += 91 * kDayMs * 1'000'000;
  CHECK_FALSE(test.one->rotate_if_older_than(90 * kDayMs));
  test.clock.now -= 91 * kDayMs * 1'000'000;
  CHECK(test.one->verify(token));
  CHECK_FALSE(TokenSigner::open(test.folder.path(), test.clock));
  CHECK_FALSE(rotate_signing_keys(test.folder.path(), PreviousKey::kKeep, test.clock.now));
}
