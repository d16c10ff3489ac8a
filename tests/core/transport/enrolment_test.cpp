#include "core/transport/enrolment.h"

#include "core/crypto/digest.h"
#include "core/files/files.h"
#include "core/transport/identity_files.h"
#include "tests/core/transport/registry.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

#include <filesystem>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::kCollectorId;
using testing::Registry;
using testing::ScriptedAnswer;
using testing::SeenRequest;
using testing::TestAuthority;
using testing::text_at;

TEST_CASE("a token and a pin become an identity that speaks mTLS") {
  Registry registry;
  const auto enrolment = enrol(registry.request());
  REQUIRE(enrolment);
  CHECK(enrolment.value().identity.collector_id == kCollectorId);
  CHECK(enrolment.value().expires_at == "2099-01-01T00:00:00Z");

  const auto seen = registry.server_.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].path == "/api/v1/collectors/register");
  CHECK(seen[0].headers.at("x-registration-secret") == "pge_one");
  CHECK(text_at(seen[0].body, "name") == "db1");
  CHECK(text_at(seen[0].body, "hostname") == "db1.example");
  CHECK(seen[0].body.find("PRIVATE") == std::string::npos);

  const auto identity = Identity::load(registry.request().state_dir);
  REQUIRE(identity);
  CHECK(identity.value().backend_url == registry.server_.url());
  struct stat status {};
  REQUIRE(stat(identity.value().key_file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(files::read(identity.value().ca_file).value() == registry.authority_.pem());
  CHECK(Backend::open(identity.value(), {}));
}

TEST_CASE("with a wrong pin, or none, nothing is sent") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  SECTION("wrong") {
    request.ca_pin = TestAuthority("stranger").pin();
    const auto enrolment = enrol(request);
    REQUIRE_FALSE(enrolment);
    CHECK(enrolment.error().code == "http.pin");
    CHECK_FALSE(enrolment.error().hint.empty());
  }
  SECTION("none") {
    request.ca_pin.clear();
    const auto enrolment = enrol(request);
    REQUIRE_FALSE(enrolment);
    CHECK(enrolment.error().code == "enrolment.trust");
  }
  SECTION("not a pin") {
    request.ca_pin = "sha256:beef";
    CHECK_FALSE(enrol(request));
  }
  CHECK(registry.server_.requests().empty());
  CHECK_FALSE(Identity::load(request.state_dir));
}

TEST_CASE("the operator's CA file does instead of a pin, and stays what is trusted") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  request.ca_pin.clear();
  request.ca_file = registry.folder_ / "ca.crt";
  const std::string bundle = TestAuthority("other").pem() + registry.authority_.pem();
  REQUIRE(files::write_atomically(request.ca_file, bundle, 0644));
  const auto enrolment = enrol(request);
  REQUIRE(enrolment);
  CHECK(files::read(enrolment.value().identity.ca_file).value() == bundle);
}

TEST_CASE("a retry after a lost answer is the same enrolment: same id, same key") {
  Registry registry;
  registry.mend = [](ScriptedAnswer& answer, int call) { answer.hang_up = call <= 1; };
  const auto lost = enrol(registry.request());
  REQUIRE_FALSE(lost);
  CHECK_FALSE(Identity::load(registry.request().state_dir));
  const auto enrolment = enrol(registry.request());
  REQUIRE(enrolment);

  const auto seen = registry.server_.requests();
  REQUIRE(seen.size() >= 2);
  const auto key_of = [](const SeenRequest& request) {
    return crypto::public_key_sha256(X509_REQ_get0_pubkey(crypto::parse_csr(text_at(request.body, "csr")).value().get()));
  };
  CHECK(text_at(seen.front().body, "enrollment_id") == text_at(seen.back().body, "enrollment_id"));
  CHECK(key_of(seen.front()) == key_of(seen.back()));
}

TEST_CASE("another token after a failure is a new enrolment with a new key") {
  Registry registry;
  registry.mend = [](ScriptedAnswer& answer, int call) {
    if (call == 1) answer = {401, R"({"error":{"code":"unauthorized","message":"token expired"}})"};
  };
  const auto refused = enrol(registry.request());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "http.401");
  CHECK(refused.error().message.find("token expired") != std::string::npos);
  CHECK(refused.error().hint.find("token create") != std::string::npos);

  EnrolmentRequest request = registry.request();
  request.token = "pge_two\n";
  REQUIRE(enrol(request));
  const auto seen = registry.server_.requests();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].headers.at("x-registration-secret") == "pge_two");
  CHECK(text_at(seen[0].body, "enrollment_id") != text_at(seen[1].body, "enrollment_id"));
  CHECK(text_at(seen[0].body, "csr") != text_at(seen[1].body, "csr"));
}

TEST_CASE("a registered collector keeps its identity") {
  Registry registry;
  const auto first = enrol(registry.request());
  REQUIRE(first);
  const std::string key = files::read(first.value().identity.key_file).value();

  SECTION("the same registration again reports what it gave, without a call") {
    const auto again = enrol(registry.request());
    REQUIRE(again);
    CHECK(again.value().identity.collector_id == kCollectorId);
    CHECK(again.value().expires_at == first.value().expires_at);
  }
  SECTION("another token is refused with a way out") {
    EnrolmentRequest request = registry.request();
    request.token = "pge_two";
    const auto again = enrol(request);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == "identity.exists");
    CHECK(again.error().hint.find("identity") != std::string::npos);
  }
  CHECK(registry.server_.requests().size() == 1);
  CHECK(files::read(first.value().identity.key_file).value() == key);
}

TEST_CASE("a new registration outlives what a crash left of the old one's renewal") {
  Registry registry;
  const auto first = enrol(registry.request());
  REQUIRE(first);
  const Identity old = first.value().identity;
  std::filesystem::copy_file(old.key_file, old.key_file + ".next");
  std::filesystem::copy_file(old.certificate_file, old.certificate_file + ".next");
  REQUIRE(files::remove(transport::IdentityFiles(registry.request().state_dir).identity));

  EnrolmentRequest request = registry.request();
  request.token = "pge_two";
  REQUIRE(enrol(request));
  const auto identity = Identity::load(request.state_dir);
  REQUIRE(identity);
  const std::string key = files::read(identity.value().key_file).value();
  const std::string certificate = files::read(identity.value().certificate_file).value();
  REQUIRE(Backend::open(identity.value(), {}));  // as at the next start
  CHECK((files::read(identity.value().key_file).value() == key));
  CHECK((files::read(identity.value().certificate_file).value() == certificate));
}

TEST_CASE("an answer that is no identity for our key leaves none") {
  Registry registry;
  registry.mend = [&](ScriptedAnswer& answer, int) { answer.body = "garbage"; };
  SECTION("garbage") {}
  SECTION("a certificate for another key") {
    registry.mend = [&](ScriptedAnswer& answer, int) {
      answer.body = registry.body_with(registry.authority_.issue_client(kCollectorId).certificate_pem, registry.authority_.pem());
    };
  }
  SECTION("another CA than the pinned one") {
    registry.mend = [&](ScriptedAnswer& answer, int) {
      answer.body = registry.body_with(text_at(answer.body, "cert"), TestAuthority("stranger").pem());
    };
  }
  SECTION("an error") {
    registry.mend = [&](ScriptedAnswer& answer, int) { answer = {500, ""}; };
  }
  CHECK_FALSE(enrol(registry.request()));
  const auto identity = Identity::load(registry.request().state_dir);
  REQUIRE_FALSE(identity);
  CHECK(identity.error().status == PGA_E_NOTFOUND);
}

TEST_CASE("a token that could smuggle a header is refused") {
  Registry registry;
  EnrolmentRequest request = registry.request();
  for (const char* token : {"", "a b", "a\r\nX-Evil: 1", "\xff"}) {
    INFO(token);
    request.token = token;
    CHECK_FALSE(enrol(request));
  }
  CHECK(registry.server_.requests().empty());
}
