#include "core/transport/enrolment.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/transport/answers.h"
#include "core/transport/ca_bundle.h"
#include "core/transport/identity_files.h"
#include "core/transport/renewal.h"
#include "core/web/ca_pin.h"
#include "core/web/http_client.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"

// How a retry finds its way: before the call, the key and then enrolment.json {enrollment_id, token_sha256, backend_url,
// public_key_sha256} are on disk. The same token and server with that key on disk is the same enrolment and repeats the same
// request, which the server answers alike. Anything else is a new enrolment with a new key. identity.json is the last file
// written; enrolment.json stays beside it, so that a repeated `register` with the token already spent reports the identity it
// gave.
namespace pganalytics::transport {
namespace {

struct Pending {
  std::string enrollment_id, token_sha256, backend_url, public_key_sha256;
  std::string expires_at;  // of the first access token; empty until the server answered
};

// One `register` at a time per state folder; freed with the object.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

std::string string_at(const rapidjson::Document& document, const char* key) {
  const auto member = document.FindMember(key);
  return member != document.MemberEnd() && member->value.IsString() ? std::string(member->value.GetString()) : std::string();
}

// nullopt: none, or not readable as one; then a new enrolment begins, which is always right.
std::optional<Pending> read_pending(const IdentityFiles& files) {
  const auto text = files::read(files.enrolment, 64 << 10);
  if (!text) return std::nullopt;
  const auto document = schema::parse_json(text.value(), {64 << 10, 8, 64});
  if (!document || !document.value().IsObject()) return std::nullopt;
  const auto& json = document.value();
  Pending pending{string_at(json, "enrollment_id"), string_at(json, "token_sha256"), string_at(json, "backend_url"),
                  string_at(json, "public_key_sha256"), string_at(json, "expires_at")};
  if (!is_uuid(pending.enrollment_id)) return std::nullopt;
  return pending;
}

Outcome write_pending(const IdentityFiles& files, const Pending& pending) {
  JsonWriter json;
  json.begin_object()
      .member("enrollment_id", pending.enrollment_id)
      .member("token_sha256", pending.token_sha256)
      .member("backend_url", pending.backend_url)
      .member("public_key_sha256", pending.public_key_sha256)
      .member("expires_at", pending.expires_at)
      .end_object();
  return files::write_atomically(files.enrolment, std::string(json.text()) + "\n", 0600);
}

bool is_same_enrolment(const Pending& pending, const EnrolmentRequest& request) {
  return pending.token_sha256 == crypto::sha256_hex(request.token) && pending.backend_url == request.backend_url;
}

struct Started {
  Pending pending;
  crypto::Key key;
};

// The enrolment that an earlier try began, if this is a retry of it and its key is still there.
Expected<std::optional<Started>> resume(const IdentityFiles& files, const EnrolmentRequest& request) {
  auto pending = read_pending(files);
  if (!pending || !is_same_enrolment(*pending, request)) return std::optional<Started>();
  const auto pem = files::read(files.key);
  if (!pem && pem.error().status == PGA_E_NOTFOUND) return std::optional<Started>();
  if (!pem) return pem.error();
  PGA_CHECK(files::check_private_place(files.key));
  auto key = crypto::parse_private_key(pem.value());
  if (!key || crypto::public_key_sha256(key.value().get()) != pending->public_key_sha256) return std::optional<Started>();
  return std::optional<Started>(Started{std::move(*pending), std::move(key).value()});
}

// Key first: enrolment.json names it by its hash, so a crash between the two leaves a key that nothing refers to. Before it goes
// what a crash left of a renewal of the identity that was here: the next start would put that pair in the place of the new one.
Expected<Started> begin(const IdentityFiles& files, const EnrolmentRequest& request) {
  PGA_TRY(crypto::Key key, crypto::make_p256_key());
  PGA_TRY(const std::string pem, crypto::to_pem(key.get()));
  PGA_CHECK(forget_renewal(files.key, files.certificate));
  PGA_CHECK(files::write_atomically(files.key, pem, 0600));
  PGA_CHECK(files::check_private_place(files.key));  // while nothing is registered yet
  Pending pending{crypto::uuid_v4(), crypto::sha256_hex(request.token), request.backend_url, crypto::public_key_sha256(key.get()),
                  ""};
  PGA_CHECK(write_pending(files, pending));
  return Started{std::move(pending), std::move(key)};
}

Expected<web::HttpOptions> trust_of(const EnrolmentRequest& request) {
  web::HttpOptions http;
  http.url = request.backend_url;
  http.user_agent = request.user_agent;
  http.proxy = request.proxy;
  if (!request.ca_file.empty()) {
    PGA_TRY(http.ca_pem, files::read(request.ca_file));
  } else if (request.ca_pin.empty()) {
    return Error{PGA_E_CONFIG, "enrolment.trust", "nothing says which server to trust: neither a CA pin nor a CA file was given",
                 "Give --ca-pin with the ca_pin that `pganalytics-server token create` printed.", 0};
  } else {
    PGA_TRY(http.ca_pin, web::parse_ca_pin(request.ca_pin));
  }
  return http;
}

// "401" of this call means the registration token, which deserves better words than "denied".
Error explain(Error error) {
  if (error.code == "http.401" || error.code == "http.403") {
    error.message = "the server refused the registration token (" + error.message + ")";
    error.hint = "Tokens expire and are for one use: make a new one with `pganalytics-server token create`.";
  } else if (error.code == "http.409") {
    error.hint = "This enrolment was begun with another key; make a new token and register again.";
  }
  return error;
}

Expected<EnrolmentAnswer> ask(web::HttpClient& client, const EnrolmentRequest& request, const Started& started) {
  PGA_TRY(const std::string csr, crypto::make_csr(started.key.get(), request.name));
  JsonWriter json;
  json.begin_object()
      .member("name", request.name)
      .member("hostname", request.hostname)
      .member("csr", csr)
      .member("enrollment_id", started.pending.enrollment_id)
      .end_object();
  web::HttpRequest call;
  call.method = "POST";
  call.path = "/api/v1/collectors/register";
  call.headers = {"Content-Type: application/json", "X-Registration-Secret: " + request.token};
  call.body = json.text();
  PGA_TRY(const web::HttpAnswer answer, client.call(call));
  auto enrolment = read_enrolment(answer, clock::now_unix_ns());
  if (!enrolment) return explain(std::move(enrolment).error());
  return enrolment;
}

Error wrong_answer(const std::string& why) {
  return {PGA_E_FAIL, "enrolment.answer", "the server's answer is not an identity: " + why, "", 0};
}

// The certificate is for our key, and the pinned CA is among those to trust: it vouched for this connection, so it may name
// another one beside it. Returns their PEM, written anew: certificates and nothing else that might have been sent along.
Expected<std::string> checked_ca(const EnrolmentAnswer& answer, const Started& started, const EnrolmentRequest& request) {
  const auto certificate = crypto::parse_certificate(answer.certificate_pem);
  if (!certificate) return wrong_answer(certificate.error().message);
  if (X509_check_private_key(certificate.value().get(), started.key.get()) != 1)
    return wrong_answer("the certificate is for another key");
  const auto bundle = parse_ca_bundle(answer.ca_pem);
  if (!bundle) return wrong_answer(bundle.error().message);
  if (!request.ca_pin.empty()) {
    PGA_TRY(const std::string pin, web::parse_ca_pin(request.ca_pin));
    PGA_TRY(const auto authorities, crypto::parse_certificates(bundle.value(), kAuthoritiesMax));
    const auto is_pinned = [&pin](const crypto::Certificate& ca) { return web::is_pinned_ca(ca.get(), pin); };
    if (std::none_of(authorities.begin(), authorities.end(), is_pinned)) return wrong_answer("its CA is not the pinned one");
  }
  return bundle;
}

// identity.json last: it says that all is there.
Expected<Enrolment> keep(const IdentityFiles& files, const EnrolmentRequest& request, Started started,
                         const EnrolmentAnswer& answer, const std::string& trusted_pem) {
  Identity identity{answer.collector_id, request.backend_url, files.key, files.certificate, files.ca, {}};
  started.pending.expires_at = answer.expires_at;
  PGA_CHECK(files::write_atomically(files.certificate, answer.certificate_pem, 0644));
  PGA_CHECK(files::write_atomically(files.ca, trusted_pem, 0644));
  PGA_CHECK(write_pending(files, started.pending));
  PGA_CHECK(write_identity(files, identity, request.name));
  return Enrolment{std::move(identity), answer.expires_at};
}

// An identity is there already: the answer to the same registration given again, an error for any other.
Expected<Enrolment> existing(const IdentityFiles& files, Identity identity, const EnrolmentRequest& request) {
  const auto pending = read_pending(files);
  if (pending && is_same_enrolment(*pending, request)) return Enrolment{std::move(identity), pending->expires_at};
  return Error{PGA_E_FAIL, "identity.exists", "already registered as " + identity.collector_id + " with " + identity.backend_url,
               "To register anew, stop the collector and move " + files.folder + " away.", 0};
}

Expected<EnrolmentRequest> normalised(EnrolmentRequest request) {
  while (!request.backend_url.empty() && request.backend_url.back() == '/') request.backend_url.pop_back();
  while (!request.token.empty() && (request.token.back() == '\n' || request.token.back() == '\r')) request.token.pop_back();
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7F'; };
  for (const char c : request.token) {
    if (!is_visible(c))
      return Error{PGA_E_CONFIG, "enrolment.token", "the registration token has characters that none has", "", 0};
  }
  if (request.token.empty()) {
    return Error{PGA_E_CONFIG, "enrolment.token", "no registration token was given",
                 "Make one with `pganalytics-server token create`.", 0};
  }
  if (request.name.empty()) request.name = request.hostname;
  return request;
}

}  // namespace

Expected<Enrolment> enrol(const EnrolmentRequest& given) {
  PGA_TRY(const EnrolmentRequest request, normalised(given));
  PGA_TRY(web::HttpOptions http, trust_of(request));
  const std::string operator_ca = http.ca_pem;
  PGA_TRY(const auto client, web::HttpClient::open(std::move(http)));

  const IdentityFiles files(request.state_dir);
  PGA_CHECK(files::make_directories(request.state_dir, 0700));
  PGA_CHECK(files::make_directories(files.folder, 0700));
  const FolderLock lock(files.folder);
  if (!lock.held()) return Error{PGA_E_FAIL, "enrolment.locked", files.folder + " is in use by another registration", "", 0};
  auto identity = Identity::load(request.state_dir);
  if (identity) return existing(files, std::move(identity).value(), request);
  if (identity.error().status != PGA_E_NOTFOUND) return std::move(identity).error();

  PGA_TRY(std::optional<Started> started, resume(files, request));
  if (!started) {
    PGA_TRY(started, begin(files, request));
  }
  PGA_TRY(const EnrolmentAnswer answer, ask(*client, request, *started));
  PGA_TRY(const std::string ca, checked_ca(answer, *started, request));
  return keep(files, request, std::move(*started), answer, operator_ca.empty() ? ca : operator_ca);
}

}  // namespace pganalytics::transport
