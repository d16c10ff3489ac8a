// How a collector gets in and stays in: POST /api/v1/collectors/register, /{id}/token, /{id}/certificate, GET /api/v1/ca.
#include <algorithm>
#include <pganalytics/json.hpp>
#include <vector>

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/schema/json_text.h"
#include "core/schema/units.h"
#include "core/server/api/api.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"
#include "core/server/auth/secret_text.h"

namespace pganalytics::server::api {
namespace {

using http::Response;
using rapidjson::Value;

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxCsrBytes = 16 * 1024;

struct Enrolment {
  std::string token, name, hostname, csr, enrollment_id;
};

Error bad_member(const std::string& key, const std::string& why) {
  return Error{PGA_E_CONFIG, "bad_request", key + ": " + why, {}, 0};
}

// The string member `key`, "" if absent.
Expected<std::string> read_string(const Value& object, const std::string& key, std::size_t max_bytes) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd()) return std::string();
  if (!member->value.IsString()) return bad_member(key, "is not a string");
  std::string text(member->value.GetString(), member->value.GetStringLength());
  if (text.empty()) return bad_member(key, "is empty");
  if (text.size() > max_bytes) return bad_member(key, "is longer than " + std::to_string(max_bytes) + " bytes");
  if (text.find('\0') != std::string::npos) return bad_member(key, "has a zero byte");
  return text;
}

Expected<std::string> read_name(const Value& object, const std::string& key) {
  PGA_TRY(auto name, read_string(object, key, kMaxNameBytes));
  if (name.empty()) return bad_member(key, "is missing");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return bad_member(key, "has a control character");
  }
  return name;
}

Expected<rapidjson::Document> read_object(std::string_view body, const std::vector<std::string>& known) {
  auto document = schema::parse_json(body, {64 * 1024, 8, 64});
  if (!document) return Error{PGA_E_CONFIG, "bad_json", "the body is not JSON: " + document.error().message, {}, 0};
  if (!document->IsObject()) return Error{PGA_E_CONFIG, "bad_json", "the body is not a JSON object", {}, 0};
  for (const auto& member : document->GetObject()) {
    const std::string key(member.name.GetString(), member.name.GetStringLength());
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = schema::nearest(key, known);
    return bad_member(key, "unknown key" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
  return document;
}

Expected<Enrolment> read_enrolment(const http::Request& request) {
  PGA_TRY(const auto document, read_object(request.body, {"name", "hostname", "csr", "enrollment_id", "registration_token"}));
  Enrolment enrolment;
  PGA_TRY(enrolment.token, read_string(document, "registration_token", kMaxNameBytes));
  if (!request.header("x-registration-secret").empty()) enrolment.token = std::string(request.header("x-registration-secret"));
  PGA_TRY(enrolment.name, read_name(document, "name"));
  PGA_TRY(enrolment.hostname, read_name(document, "hostname"));
  PGA_TRY(enrolment.csr, read_string(document, "csr", kMaxCsrBytes));
  PGA_TRY(const auto id, read_string(document, "enrollment_id", kMaxNameBytes));
  const auto uuid = parse_uuid(id);
  if (!id.empty() && !uuid) return bad_member("enrollment_id", "is not a UUID");
  enrolment.enrollment_id = id.empty() ? crypto::uuid_v4() : *uuid;
  return enrolment;
}

Response token_refused() {
  return Response::error(401, "registration_refused",
                         "the registration token is missing, unknown, used up or expired, or not meant for this host name");
}

// A certificate for a collector, and the key if it was made here.
struct Given {
  std::string pem, thumbprint, key_pem;
};

enum class Renewal { kNo, kInTime, kLate };

store::NewCertificate row_of(const auth::IssuedCertificate& issued, bool made_by_server, Renewal renewal) {
  return {issued.thumbprint_sha256,  issued.public_key_sha256,  issued.ca_pin,           issued.certificate_pem, made_by_server,
          renewal == Renewal::kLate, issued.not_before_unix_ns, issued.not_after_unix_ns};
}

std::string actor_of(const Call& call) {
  return call.caller.collector_id.empty() ? "address:" + call.request.remote_address : call.caller.name();
}

// Enrolments have their entry already, with the collector.
store::AuditEntry entry_of(const Call& call, const std::string& id, const std::string& public_key, Renewal renewal) {
  if (renewal == Renewal::kNo) return {};
  JsonWriter detail;
  detail.begin_object().member("public_key_sha256", public_key).member("late", renewal == Renewal::kLate).end_object();
  return {actor_of(call), "collector.renew", id, call.request.remote_address, std::string(detail.text())};
}

// The simple form: a key made here.
Expected<Given> issue_with_key(Services& services, const std::string& id) {
  const std::int64_t life_ms = std::min(services.options.simple_certificate_life_ms, services.options.certificate_life_ms);
  PGA_TRY(auto issued, services.authority.issue_with_key(id, life_ms));
  PGA_CHECK(services.store.add_certificate(id, row_of(issued.certificate, true, Renewal::kNo)));
  return Given{issued.certificate.certificate_pem, issued.certificate.thumbprint_sha256, std::move(issued.key_pem)};
}

// A request that comes again after its answer was lost gets the same certificate again.
Expected<Given> given_before(const store::KnownKey& known, Renewal renewal) {
  if (!known.superseded && (renewal == Renewal::kNo || !known.used)) return Given{known.certificate_pem, known.thumbprint, {}};
  return Error{PGA_E_CONFIG, "same_key", "this key has had its certificate: a renewal brings a new key", {}, 0};
}

// For a CSR.
Expected<Given> issue_from_csr(const Call& call, const std::string& id, const std::string& csr, const std::string& public_key,
                               Renewal renewal) {
  Services& services = call.services;
  PGA_TRY(const auto known, services.store.certificate_of_key(id, public_key));
  if (known) return given_before(*known, renewal);
  PGA_TRY(const auto issued, services.authority.issue_from_csr(csr, id, services.options.certificate_life_ms));
  PGA_TRY(const bool added,
          services.store.add_certificate(id, row_of(issued, false, renewal), entry_of(call, id, public_key, renewal)));
  if (added) return Given{issued.certificate_pem, issued.thumbprint_sha256, {}};
  PGA_TRY(const auto other, services.store.certificate_of_key(id, public_key));  // the same request, at the same time
  if (!other) return Error{PGA_E_TRANSIENT, "raced", "the certificate of this key came and went", {}, 0};
  return given_before(*other, renewal);
}

store::AuditEntry entry_of(const Call& call, const Enrolment& wanted) {
  JsonWriter detail;
  detail.begin_object().member("name", wanted.name).member("hostname", wanted.hostname);
  detail.member("key_origin", wanted.csr.empty() ? "server" : "collector").end_object();
  return {actor_of(call), "collector.enrol", "", call.request.remote_address, std::string(detail.text())};
}

Response secret_json(int status, const JsonWriter& json) {
  return Response::json(status, std::string(json.text())).with_header("Cache-Control", "no-store");
}

}  // namespace

Response serve_register(const Call& call) {
  Services& services = call.services;
  // A header that cannot be a token is refused before the body is looked at.
  const std::string_view header = call.request.header("x-registration-secret");
  if (!header.empty() && !auth::is_registration_token(header)) return token_refused();
  const auto enrolment = read_enrolment(call.request);
  if (!enrolment) return bad_request(enrolment.error().code, enrolment.error().message);
  const Enrolment& wanted = enrolment.value();
  if (!auth::is_registration_token(wanted.token)) return token_refused();
  const bool simple = wanted.csr.empty();
  if (simple && !services.options.server_keys) {
    return Response::error(403, "csr_required", "this server makes no keys for others: send a certificate request as \"csr\"");
  }

  std::string public_key;
  if (!simple) {  // before the token is used up
    const auto key = services.authority.public_key_of_csr(wanted.csr);
    if (!key) return bad_request("bad_csr", "csr: " + key.error().message);
    public_key = key.value();
  }
  // Only who proves to hold the key again may ask again: the simple form is answered once.
  const auto id =
      services.store.enrol_collector(auth::sha256_hex(wanted.token), wanted.name, wanted.hostname,
                                     simple ? std::string() : wanted.enrollment_id, public_key, entry_of(call, wanted));
  if (!id && id.error().status == PGA_E_DENIED) return token_refused();
  if (!id) return problem("enrol a collector", id.error());
  const auto given =
      simple ? issue_with_key(services, id.value()) : issue_from_csr(call, id.value(), wanted.csr, public_key, Renewal::kNo);
  // Its collector has renewed since, or was revoked in between: this token brings nobody back.
  if (!given && (given.error().code == "same_key" || given.error().status == PGA_E_DENIED)) return token_refused();
  if (!given) return problem("issue a certificate", given.error());
  const auto token = services.signer.issue(id.value(), given.value().thumbprint);
  if (!token) return problem("issue an access token", token.error());

  JsonWriter json;
  json.begin_object().member("id", id.value()).member("token", token.value().token);
  json.member("expires_at", clock::format_rfc3339(token.value().expires_unix_ns));
  json.member("cert", given.value().pem);
  if (simple) json.member("key", given.value().key_pem);
  json.member("ca", services.authority.ca_bundle()).end_object();
  return secret_json(201, json).with_header("Location", "/api/v1/collectors/" + id.value());
}

Response serve_token(const Call& call) {
  const auto token = call.services.signer.issue(call.id, call.request.peer->thumbprint_sha256);
  if (!token) return problem("issue an access token", token.error());
  JsonWriter json;
  json.begin_object().member("token", token.value().token);
  json.member("expires_at", clock::format_rfc3339(token.value().expires_unix_ns)).end_object();
  return secret_json(200, json);
}

Response serve_certificate(const Call& call) {
  const auto document = read_object(call.request.body, {"csr"});
  if (!document) return bad_request(document.error().code, document.error().message);
  const auto csr = read_string(document.value(), "csr", kMaxCsrBytes);
  if (!csr) return bad_request(csr.error().code, csr.error().message);
  if (csr.value().empty()) return bad_request("bad_request", "csr: is missing");
  const auto public_key = call.services.authority.public_key_of_csr(csr.value());
  if (!public_key) return bad_request("bad_csr", "csr: " + public_key.error().message);
  const Renewal renewal = call.caller.late ? Renewal::kLate : Renewal::kInTime;
  const auto given = issue_from_csr(call, call.id, csr.value(), public_key.value(), renewal);
  if (!given && given.error().code == "same_key") return bad_request("same_key", "csr: " + given.error().message);
  if (!given && given.error().status == PGA_E_DENIED) return collector_revoked();
  if (!given) return problem("issue a certificate", given.error());
  JsonWriter json;
  json.begin_object().member("cert", given.value().pem).member("ca", call.services.authority.ca_bundle()).end_object();
  return secret_json(200, json);
}

// The CAs to trust. With If-None-Match the collector says which ones it has: who has not heard of the next CA yet is what
// "ca promote" wants to know.
Response serve_ca(const Call& call) {
  const std::string etag = call.services.authority.ca_etag();
  if (call.request.header("if-none-match") == etag) {
    const Outcome noted = call.services.store.note_ca(call.caller.collector_id, etag);
    if (!noted) return problem("note which CA a collector trusts", noted.error());
    Response same;
    same.status = 304;
    return std::move(same).with_header("ETag", etag);
  }
  JsonWriter json;
  json.begin_object().member("ca", call.services.authority.ca_bundle()).end_object();
  return Response::json(200, std::string(json.text())).with_header("ETag", etag);
}

}  // namespace pganalytics::server::api
