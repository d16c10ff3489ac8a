// What keeps an identity alive: late renewal, lost answers, the CAs followed, files that somebody else changes.
#include "core/transport/upkeep.h"

#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/transport/ca_bundle.h"
#include "core/transport/renewal.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::make_batch;
using testing::must;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;
using testing::TestAuthority;

namespace {

constexpr long kDay = 24 * 3600;

ScriptedAnswer unauthorized() { return {401, R"({"error":{"code":"unauthorized","message":"no certificate"}})"}; }

bool has_token(const SeenRequest& request) { return request.headers.count("authorization") != 0; }

// A folder where a file should be, and not empty.
void obstruct(const std::string& path) {
  std::filesystem::remove(path);
  REQUIRE(std::filesystem::create_directories(path + "/in the way"));
}

}  // namespace

TEST_CASE("a certificate that is over renews itself without a token, and everything works again") {
  ScriptedBackend server;
  server.age_certificate(3 * kDay);
  server.start();
  const auto backend = server.open();
  REQUIRE(backend->renew_certificate_if_due());
  const auto asked = server.requests("/certificate");
  REQUIRE(asked.size() == 1);
  CHECK_FALSE(has_token(asked[0]));
  CHECK_FALSE(asked[0].certificate_thumbprint.empty());
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  CHECK(server.requests("/metrics/push")[0].certificate_thumbprint != asked[0].certificate_thumbprint);
}

TEST_CASE("clocks that disagree about whether the certificate is over find to each other") {
  ScriptedBackend server;
  SECTION("over here, in force there") {
    server.age_certificate(2 * kDay);
    server.on_certificate = [&](const SeenRequest& request) {
      return has_token(request) ? server.certify(request) : unauthorized();
    };
  }
  SECTION("in force here, over there") {
    server.age_certificate(20 * 3600);
    server.on_token = [](const SeenRequest&) { return unauthorized(); };
  }
  server.start();
  CHECK(server.open()->renew_certificate_if_due());
}

TEST_CASE("a renewal that the server refuses for good says why, and the pair stays") {
  ScriptedBackend server;
  server.age_certificate(40 * kDay);
  server.on_certificate = [](const SeenRequest&) {
    return ScriptedAnswer{403, R"({"error":{"code":"certificate_expired","message":"register anew"}})"};
  };
  server.start();
  const std::string key = must(files::read(server.identity().key_file));
  const auto renewed = server.open()->renew_certificate_if_due();
  REQUIRE_FALSE(renewed);
  CHECK(renewed.error().message.find("register anew") != std::string::npos);
  CHECK(must(files::read(server.identity().key_file)) == key);
}

TEST_CASE("a renewal whose answer was lost asks again with the same key, one that was refused with another") {
  ScriptedBackend server;
  server.age_certificate(14 * 3600);
  int asked = 0;
  ScriptedAnswer first;
  bool same_key = false;
  SECTION("lost") {
    first = {200, R"({"cert":)"};  // cut off
    same_key = true;
  }
  SECTION("refused") { first = {400, R"({"error":{"code":"same_key","message":"a new key"}})"}; }
  server.on_certificate = [&](const SeenRequest& request) { return ++asked == 1 ? first : server.certify(request); };
  server.start();
  const auto backend = server.open();
  CHECK_FALSE(backend->renew_certificate_if_due());
  REQUIRE(backend->renew_certificate_if_due());
  const auto requests = server.requests("/certificate");
  REQUIRE(requests.size() == 2);
  const auto key_of = [](const SeenRequest& request) {
    std::string pem = request.body.substr(8, request.body.size() - 10);
    for (std::size_t at = pem.find("\\n"); at != std::string::npos; at = pem.find("\\n")) pem.replace(at, 2, "\n");
    return crypto::public_key_sha256(X509_REQ_get0_pubkey(must(crypto::parse_csr(pem)).get()));
  };
  CHECK((key_of(requests[0]) == key_of(requests[1])) == same_key);
}

TEST_CASE("the server's next CA is trusted as soon as the server tells of it, and the server is told") {
  ScriptedBackend server;
  const TestAuthority next("the next CA");
  const std::string bundle = server.authority().pem() + next.pem();
  server.on_ca = [&](const SeenRequest& request) {
    const auto tag = request.headers.find("if-none-match");
    if (tag != request.headers.end() && tag->second == etag_of_ca_bundle(bundle)) return ScriptedAnswer{304, ""};
    return ScriptedBackend::bundle(bundle);
  };
  server.start();
  const auto backend = server.open();
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(must(files::read(server.identity().ca_file)) == bundle);
  CHECK(server.requests("/api/v1/ca").size() == 2);
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(server.requests("/api/v1/ca").size() == 3);
  CHECK(server.open()->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("what is no bundle of CAs, or none that we know is in, changes nothing") {
  ScriptedBackend server;
  ScriptedAnswer answer;
  const TestAuthority stranger("a stranger's CA");
  SECTION("strangers only") { answer = ScriptedBackend::bundle(stranger.pem()); }
  SECTION("garbage") { answer = ScriptedBackend::bundle("garbage"); }
  SECTION("a leaf beside") {
    answer = ScriptedBackend::bundle(server.authority().pem() + server.authority().issue_client("x").certificate_pem);
  }
  SECTION("too many") {
    std::string many;
    for (int i = 0; i < 5; ++i) many += server.authority().pem();
    answer = ScriptedBackend::bundle(many);
  }
  SECTION("cut off") { answer = ScriptedBackend::bundle(server.authority().pem().substr(0, 200)); }
  SECTION("nothing") { answer = {200, R"({"ca":""})"}; }
  SECTION("no JSON") { answer = {200, "<html>"}; }
  SECTION("an error") { answer = {500, ""}; }
  server.on_ca = [&](const SeenRequest&) { return answer; };
  server.start();
  const std::string before = must(files::read(server.identity().ca_file));
  const auto backend = server.open();
  CHECK_FALSE(backend->renew_certificate_if_due());
  CHECK(must(files::read(server.identity().ca_file)) == before);
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("an operator's CA file is never written, and read again when the operator does") {
  ScriptedBackend server;
  const TestAuthority next("the next CA");
  server.on_ca = [&](const SeenRequest&) { return ScriptedBackend::bundle(server.authority().pem() + next.pem()); };
  server.start();
  const std::string file = server.folder() / "operator.pem";
  must(files::write_atomically(file, "# ours\n" + server.authority().pem(), 0644));
  BackendOptions options;
  options.ca_file = file;
  const auto backend = must(Backend::open(server.identity(), options));
  const std::string own = must(files::read(server.identity().ca_file));
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(must(files::read(file)) == "# ours\n" + server.authority().pem());
  CHECK(must(files::read(server.identity().ca_file)) == own);
  must(files::write_atomically(file, next.pem(), 0644));  // the wrong one: it is what is trusted now
  CHECK_FALSE(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kRetry);
  must(files::write_atomically(file, next.pem() + server.authority().pem(), 0644));
  CHECK(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("an identity that was put in place of the running one is taken up whole, or not at all") {
  ScriptedBackend server;
  server.start();
  const auto backend = server.open();
  REQUIRE(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  const Identity identity = server.identity();
  const testing::KeyPair other = server.authority().issue_client(testing::kCollectorId);
  must(files::write_atomically(identity.key_file, other.key_pem, 0600));
  const auto half = backend->renew_certificate_if_due();
  REQUIRE_FALSE(half);
  CHECK(half.error().code == "identity.damaged");
  CHECK(backend->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
  must(files::write_atomically(identity.certificate_file, other.certificate_pem, 0644));
  CHECK(server.identity().stamp != identity.stamp);
  REQUIRE(backend->renew_certificate_if_due());
  REQUIRE(backend->push(make_batch(3)).verdict == PushAnswer::Verdict::kAcknowledged);
  const auto pushes = server.requests("/metrics/push");
  CHECK(pushes[0].certificate_thumbprint == pushes[1].certificate_thumbprint);
  CHECK(pushes[2].certificate_thumbprint ==
        crypto::certificate_thumbprint(must(crypto::parse_certificate(other.certificate_pem)).get()));
}

TEST_CASE("an identity that cannot work is told at the start, by the file's name") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  std::string named = "key.pem";
  SECTION("no key") { must(files::remove(identity.key_file)); }
  SECTION("an empty key") { must(files::write_atomically(identity.key_file, "", 0600)); }
  SECTION("a key of something else") {
    must(files::write_atomically(identity.key_file, server.authority().issue_client("x").key_pem, 0600));
  }
  SECTION("a certificate of garbage") {
    named = "certificate.pem";
    must(files::write_atomically(identity.certificate_file, "garbage", 0644));
  }
  SECTION("no certificate") {
    named = "certificate.pem";
    must(files::remove(identity.certificate_file));
  }
  SECTION("a key open to others") { REQUIRE(::chmod(identity.key_file.c_str(), 0644) == 0); }
  SECTION("a folder open to others") { REQUIRE(::chmod((server.folder() / "identity").c_str(), 0777) == 0); }
  SECTION("no CA") {
    named = "ca.pem";
    must(files::remove(identity.ca_file));
  }
  const auto backend = Backend::open(identity, {});
  REQUIRE_FALSE(backend);
  CHECK(backend.error().message.find(named) != std::string::npos);
}

TEST_CASE("a new pair that the disk does not take is not used, and the next try gets one") {
  ScriptedBackend server;
  server.age_certificate(14 * 3600);
  const std::string place = GENERATE("key.pem.next", "certificate.pem.next", "key.pem", "certificate.pem");
  CAPTURE(place);
  std::string path;
  bool is_obstructed = false;
  server.on_certificate = [&](const SeenRequest& request) {
    if (!std::exchange(is_obstructed, true)) obstruct(path);
    return server.certify(request);
  };
  server.start();
  const Identity identity = server.identity();
  path = server.folder() / ("identity/" + place);
  const std::string key = must(files::read(identity.key_file));
  const std::string certificate = must(files::read(identity.certificate_file));
  const auto backend = server.open();
  if (place == "key.pem.next") {  // written before the server is asked
    obstruct(path);
    is_obstructed = true;
  }
  const auto renewed = backend->renew_certificate_if_due();
  REQUIRE_FALSE(renewed);
  CHECK_THAT(renewed.error().message, Catch::Contains(path));
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  const auto old_thumbprint = crypto::certificate_thumbprint(must(crypto::parse_certificate(certificate)).get());
  CHECK(server.requests("/metrics/push")[0].certificate_thumbprint == old_thumbprint);

  std::filesystem::remove_all(path);
  if (place == "key.pem") must(files::write_atomically(identity.key_file, key, 0600));
  if (place == "certificate.pem") {
    must(files::write_atomically(identity.key_file, key, 0600));
    must(files::write_atomically(identity.certificate_file, certificate, 0644));
  }
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
  CHECK(server.requests("/metrics/push")[1].certificate_thumbprint != old_thumbprint);
  CHECK(server.open()->push(make_batch(3)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("a new pair that another program took away meanwhile is not used") {
  ScriptedBackend server;
  server.age_certificate(14 * 3600);
  int asked = 0;
  server.on_certificate = [&](const SeenRequest& request) {
    // As `pganalytics once` would at its start: a key that waits for no certificate is of a request that was never answered.
    if (++asked == 1) must(files::remove(server.identity().key_file + ".next"));
    return server.certify(request);
  };
  server.start();
  const auto backend = server.open();
  const auto renewed = backend->renew_certificate_if_due();
  REQUIRE_FALSE(renewed);
  CHECK(renewed.error().code == "identity.changed");
  CHECK(renewed.error().status == PGA_E_TRANSIENT);
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(server.open()->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("files written again with the same content change nothing") {
  ScriptedBackend server;
  server.start();
  const auto backend = server.open();
  REQUIRE(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
  const Identity identity = server.identity();
  must(files::write_atomically(identity.key_file, must(files::read(identity.key_file)), 0600));
  CHECK(server.identity().stamp != identity.stamp);
  REQUIRE(backend->renew_certificate_if_due());
  CHECK(backend->push(make_batch(2)).verdict == PushAnswer::Verdict::kAcknowledged);
  CHECK(server.requests("/token").size() == 1);
  CHECK(server.server().connections() == 1);
}

TEST_CASE("a CA that cannot be written down is not trusted, and asked for again") {
  ScriptedBackend server;
  const TestAuthority next("the next CA");
  const std::string bundle = server.authority().pem() + next.pem();
  std::string file;
  int asked = 0;
  server.on_ca = [&](const SeenRequest&) {
    if (++asked == 1) obstruct(file);
    return asked == 3 ? ScriptedAnswer{500, ""} : ScriptedBackend::bundle(bundle);
  };
  server.start();
  file = server.identity().ca_file;
  const auto backend = server.open();
  const auto obstructed = backend->renew_certificate_if_due();
  REQUIRE_FALSE(obstructed);
  CHECK_THAT(obstructed.error().message, Catch::Contains(file));
  std::filesystem::remove_all(file);
  must(files::write_atomically(file, server.authority().pem(), 0644));
  // Written, but the server was not told that it is here: an error, because the server waits for that.
  CHECK_FALSE(backend->renew_certificate_if_due());
  CHECK(must(files::read(file)) == bundle);
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("an operator's file of a great many CAs is trusted as it is") {
  ScriptedBackend server;
  server.on_ca = [&](const SeenRequest&) { return ScriptedBackend::bundle(server.authority().pem()); };
  server.start();
  std::string many;
  for (int i = 0; i < 70; ++i) many += server.authority().pem();
  BackendOptions options;
  options.ca_file = server.folder() / "operator.pem";
  must(files::write_atomically(options.ca_file, many, 0644));
  const auto backend = must(Backend::open(server.identity(), options));
  CHECK(backend->renew_certificate_if_due());
  CHECK(backend->renew_certificate_if_due());
  CHECK(server.requests("/api/v1/ca")[0].headers.count("if-none-match") == 0);
  CHECK(must(files::read(options.ca_file)) == many);
  CHECK(backend->push(make_batch(1)).verdict == PushAnswer::Verdict::kAcknowledged);
}

TEST_CASE("a certificate whose dates nobody can read is a damaged one") {
  ScriptedBackend server;
  server.start();
  const Identity identity = server.identity();
  const auto certificate = must(crypto::parse_certificate(must(files::read(identity.certificate_file))));
  const std::unique_ptr<ASN1_TIME, void (*)(ASN1_TIME*)> never(ASN1_STRING_type_new(V_ASN1_UTCTIME), &ASN1_STRING_free);
  REQUIRE(ASN1_STRING_set(never.get(), "the 1st of May", -1) == 1);
  SECTION("begin") { REQUIRE(X509_set1_notBefore(certificate.get(), never.get()) == 1); }
  SECTION("end") { REQUIRE(X509_set1_notAfter(certificate.get(), never.get()) == 1); }
  REQUIRE(i2d_re_X509_tbs(certificate.get(), nullptr) > 0);  // written anew, with the old signature
  const std::string pem = must(crypto::to_pem(certificate.get()));
  must(files::write_atomically(identity.certificate_file, pem, 0644));
  const auto backend = Backend::open(identity, {});
  REQUIRE_FALSE(backend);
  CHECK(backend.error().code == "identity.damaged");
  CHECK_THAT(backend.error().message, Catch::Contains("unreadable dates"));
  CHECK_FALSE((certificate_end_unix_ns(pem) && renewal_due_unix_ns(pem, 0)));
}
