// Registrations that meet a disk, an earlier try or a server in their way: what is told, and that the next try works.
#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/transport/identity_files.h"
#include "core/web/ca_pin.h"
#include "tests/core/transport/registry.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

using namespace pganalytics;
using namespace pganalytics::transport;
using namespace pganalytics::web;
using testing::must;
using testing::Registry;
using testing::ScriptedAnswer;
using testing::TestAuthority;
using testing::text_at;

namespace {

Error refusal_of(const EnrolmentRequest& request) {
  const auto enrolment = enrol(request);
  REQUIRE_FALSE(enrolment);
  return enrolment.error();
}

std::string key_of(const testing::SeenRequest& request) {
  return crypto::public_key_sha256(X509_REQ_get0_pubkey(must(crypto::parse_csr(text_at(request.body, "csr"))).get()));
}

// A folder where a file should be, and not empty.
void obstruct(const std::string& path) {
  std::filesystem::remove(path);
  REQUIRE(std::filesystem::create_directories(path + "/in the way"));
}

}  // namespace

TEST_CASE("a place that cannot hold an identity is told before the server is asked") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  const IdentityFiles files(request.state_dir);
  std::string named;
  SECTION("the state folder is a file") {
    must(files::write_atomically(request.state_dir, "", 0600));
    named = request.state_dir;
  }
  SECTION("the identity's folder is a file") {
    must(files::make_directories(request.state_dir, 0700));
    must(files::write_atomically(files.folder, "", 0600));
    named = files.folder;
  }
  SECTION("others may write to the folder of the key") {
    must(files::make_directories(files.folder, 0700));
    REQUIRE(::chmod(files.folder.c_str(), 0777) == 0);
    named = files.folder;
  }
  SECTION("a folder where the key should be") { obstruct(named = files.key); }
  SECTION("a folder where the enrolment should be noted") { obstruct(named = files.enrolment); }
  SECTION("a folder where the identity should be") { obstruct(named = files.identity); }
  CHECK_THAT(refusal_of(request).message, Catch::Contains(named));
  CHECK(registry.server_.requests().empty());
  std::filesystem::remove_all(request.state_dir);
  CHECK(enrol(request));
}

TEST_CASE("an answer that cannot be written down is not lost: the same registration, tried again, gets it") {
  Registry registry;
  const EnrolmentRequest request = registry.request();
  const IdentityFiles files(request.state_dir);
  const std::string place = GENERATE_REF(files.certificate, files.ca, files.enrolment, files.identity);
  CAPTURE(place);
  registry.mend = [&](ScriptedAnswer&, int call) {
    if (call == 1) obstruct(place);
  };
  CHECK_THAT(refusal_of(request).message, Catch::Contains(place));
  std::filesystem::remove_all(place);
  CHECK_FALSE(Identity::load(request.state_dir));
  const auto enrolment = enrol(request);
  REQUIRE(enrolment);
  CHECK(Backend::open(enrolment.value().identity, {}));
  const auto seen = registry.server_.requests();
  REQUIRE(seen.size() == 2);
  // What the note said of the first try went with the obstacle only where it was the obstacle.
  CHECK((key_of(seen[0]) == key_of(seen[1])) == (place != files.enrolment));
}

TEST_CASE("two registrations at the same time are one") {
  Registry registry;
  const EnrolmentRequest request = registry.request();
  const IdentityFiles files(request.state_dir);
  must(files::make_directories(files.folder, 0700));
  const int other = ::open(files.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  const Error error = refusal_of(request);
  CHECK(error.code == "enrolment.locked");
  CHECK_THAT(error.message, Catch::Contains("another registration"));
  CHECK(registry.server_.requests().empty());
  ::close(other);
  CHECK(enrol(request));
}

TEST_CASE("what an earlier try left is used only if it is whole, ours and private") {
  Registry registry;
  registry.mend = [](ScriptedAnswer& answer, int call) { answer.hang_up = call == 1; };
  EnrolmentRequest request = registry.request();
  refusal_of(request);
  const IdentityFiles files(request.state_dir);
  std::string refused_because;
  SECTION("the key is gone") { must(files::remove(files.key)); }
  SECTION("the key is another") { must(files::write_atomically(files.key, registry.authority_.issue_client("x").key_pem, 0600)); }
  SECTION("the key is garbage") { must(files::write_atomically(files.key, "garbage", 0600)); }
  SECTION("the key is a folder") {
    obstruct(files.key);
    refused_because = files.key;
  }
  SECTION("the key could be read by others") {
    REQUIRE(::chmod(files.key.c_str(), 0644) == 0);
    refused_because = files.key;
  }
  SECTION("the note is garbage") { must(files::write_atomically(files.enrolment, "garbage", 0600)); }
  SECTION("the note is no object") { must(files::write_atomically(files.enrolment, "[]", 0600)); }
  SECTION("the note has no id") { must(files::write_atomically(files.enrolment, R"({"enrollment_id":7})", 0600)); }
  SECTION("it was for another address of the server") {
    request.backend_url = "https://127.0.0.1:" + std::to_string(registry.server_.port());
  }
  if (!refused_because.empty()) {
    CHECK_THAT(refusal_of(request).message, Catch::Contains(refused_because));
    std::filesystem::remove_all(files.key);
  }
  REQUIRE(enrol(request));
  const auto seen = registry.server_.requests();
  REQUIRE(seen.size() == 2);
  CHECK(text_at(seen[0].body, "enrollment_id") != text_at(seen[1].body, "enrollment_id"));
  CHECK(key_of(seen[0]) != key_of(seen[1]));
}

TEST_CASE("an identity whose enrolment nobody remembers is kept from every registration") {
  Registry registry;
  REQUIRE(enrol(registry.request()));
  must(files::remove(IdentityFiles(registry.request().state_dir).enrolment));
  const Error error = refusal_of(registry.request());
  CHECK(error.code == "identity.exists");
  CHECK_THAT(error.message, Catch::Contains(testing::kCollectorId));
  CHECK(registry.server_.requests().size() == 1);
}

TEST_CASE("what the server says of a registration is told with what to do") {
  Registry registry;
  ScriptedAnswer answer;
  std::string hint;
  SECTION("forbidden") {
    answer = {403, R"({"error":{"code":"used","message":"used already"}})"};
    hint = "token create";
  }
  SECTION("begun with another key") {
    answer = {409, R"({"error":{"code":"conflict","message":"used already"}})"};
    hint = "make a new token";
  }
  registry.mend = [&](ScriptedAnswer& given, int) { given = answer; };
  const Error error = refusal_of(registry.request());
  CHECK_THAT(error.message, Catch::Contains("used already"));
  CHECK_THAT(error.hint, Catch::Contains(hint));
}

TEST_CASE("certificates that are none leave no identity") {
  Registry registry;
  std::string why;
  SECTION("the collector's") {
    registry.mend = [&](ScriptedAnswer& answer, int) { answer.body = registry.body_with("garbage", registry.authority_.pem()); };
    why = "certificate";
  }
  SECTION("the CA's") {
    registry.mend = [&](ScriptedAnswer& answer, int) {
      answer.body = registry.body_with(text_at(answer.body, "cert"), "garbage");
    };
    why = "CA";
  }
  SECTION("a server's certificate as the CA's") {
    registry.mend = [&](ScriptedAnswer& answer, int) {
      answer.body = registry.body_with(text_at(answer.body, "cert"), registry.authority_.issue_server().certificate_pem);
    };
    why = "self-signed CA";
  }
  const Error error = refusal_of(registry.request());
  CHECK(error.code == "enrolment.answer");
  CHECK_THAT(error.message, Catch::Contains(why));
  CHECK_FALSE(Identity::load(registry.request().state_dir));
}

TEST_CASE("what cannot be asked is told before anything is written") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  std::string named;
  SECTION("a CA file that is not there") { named = request.ca_file = registry.folder_ / "nowhere.crt"; }
  SECTION("no address") {
    request.backend_url = "http://localhost:1";
    named = "http://localhost:1";
  }
  CHECK_THAT(refusal_of(request).message, Catch::Contains(named));
  CHECK_FALSE(std::filesystem::exists(request.state_dir));
}

TEST_CASE("tokens from files and addresses with slashes are taken, and a collector without a name goes by its host's") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  request.token += "\r\n";
  request.backend_url += "//";
  request.name.clear();
  const auto enrolment = enrol(request);
  REQUIRE(enrolment);
  CHECK(enrolment.value().identity.backend_url == registry.server_.url());
  CHECK(registry.server_.requests()[0].headers.at("x-registration-secret") == "pge_one");
  CHECK(text_at(registry.server_.requests()[0].body, "name") == "db1.example");
}

TEST_CASE("a key that is pinned but no CA's is no pin") {
  const TestAuthority authority;
  const std::string pem = authority.issue_server().certificate_pem;
  const crypto::Certificate leaf = must(crypto::parse_certificate(pem));
  const std::string hex = crypto::public_key_sha256(X509_get0_pubkey(leaf.get()));
  CHECK_FALSE(is_pinned_ca(leaf.get(), hex));
  const crypto::Certificate ca = must(crypto::parse_certificate(authority.pem()));
  CHECK(is_pinned_ca(ca.get(), must(parse_ca_pin(authority.pin()))));
  CHECK_FALSE(is_pinned_ca(ca.get(), hex));
  // Of this name and key, but signed by another: its key alone does not make it an anchor.
  const crypto::Certificate changed = must(crypto::parse_certificate(authority.pem()));
  REQUIRE(X509_set1_notAfter(changed.get(), X509_get0_notBefore(changed.get())) == 1);
  REQUIRE(i2d_re_X509_tbs(changed.get(), nullptr) > 0);  // written anew, with the old signature
  const auto forged = crypto::parse_certificate(must(crypto::to_pem(changed.get())));
  REQUIRE(forged);
  CHECK_FALSE(is_pinned_ca(forged.value().get(), must(parse_ca_pin(authority.pin()))));
}
