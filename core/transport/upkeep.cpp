#include "core/transport/upkeep.h"

#include "core/clock/clock.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/transport/answers.h"
#include "core/transport/ca_bundle.h"
#include "core/transport/renewal.h"

#include <pganalytics/json.hpp>
#include <random>

namespace pganalytics::transport {
namespace {

constexpr char kDamagedHint[] = "Restore the folder from a backup, or move it away and register again.";

Error damaged(const std::string& path, const std::string& why) {
  return {PGA_E_CONFIG, "identity.damaged", path + ": " + why, kDamagedHint, 0};
}

double random_part() {
  std::random_device device;
  return std::uniform_real_distribution<double>(0, 1)(device);
}

std::string csr_body(const std::string& csr) {
  JsonWriter json;
  json.begin_object().member("csr", csr).end_object();
  return std::string(json.text());
}

bool is_refused(const Expected<web::HttpAnswer>& answer) {
  return answer ? answer.value().status == 401 : answer.error().code == "http.401";
}

}  // namespace

Expected<IdentityContent> IdentityContent::read(const Identity& identity, const std::string& operator_ca_file) {
  PGA_CHECK(files::check_private_place(identity.key_file));
  IdentityContent content;
  PGA_TRY(content.key_pem, files::read(identity.key_file));
  PGA_TRY(content.certificate_pem, files::read(identity.certificate_file));
  PGA_TRY(content.ca_pem, files::read(operator_ca_file.empty() ? identity.ca_file : operator_ca_file));
  const auto key = crypto::parse_private_key(content.key_pem);
  if (!key) return damaged(identity.key_file, key.error().message);
  const auto certificate = crypto::parse_certificate(content.certificate_pem);
  if (!certificate) return damaged(identity.certificate_file, certificate.error().message);
  if (X509_check_private_key(certificate.value().get(), key.value().get()) != 1) {
    static_cast<void>(crypto::openssl_reason());
    return damaged(identity.key_file, "not the key of " + identity.certificate_file);
  }
  return content;
}

Upkeep::Upkeep(Identity identity, std::string operator_ca_file, IdentityContent content, web::HttpClient& client)
    : identity_(std::move(identity)),
      operator_ca_file_(std::move(operator_ca_file)),
      client_(client),
      content_(std::move(content)),
      stamp_(stamp()) {}

Expected<std::unique_ptr<Upkeep>> Upkeep::open(Identity identity, std::string operator_ca_file, IdentityContent content,
                                               web::HttpClient& client) {
  std::unique_ptr<Upkeep> upkeep(new Upkeep(std::move(identity), std::move(operator_ca_file), std::move(content), client));
  PGA_CHECK(upkeep->plan(upkeep->content_.certificate_pem));
  return upkeep;
}

std::string Upkeep::stamp() const { return stamp_of_identity(identity_, operator_ca_file_); }

Outcome Upkeep::plan(const std::string& certificate_pem) {
  PGA_TRY(renew_at_unix_ns_, renewal_due_unix_ns(certificate_pem, random_part()));
  PGA_TRY(not_after_unix_ns_, certificate_end_unix_ns(certificate_pem));
  return {};
}

Outcome Upkeep::put_in_use(IdentityContent content) {
  PGA_CHECK(plan(content.certificate_pem));
  PGA_CHECK(client_.use_certificate(content.certificate_pem, content.key_pem));
  PGA_CHECK(client_.use_ca(content.ca_pem));
  content_ = std::move(content);
  return {};
}

Expected<bool> Upkeep::turn(const CallWithToken& call_with_token) {
  PGA_TRY(const bool other_files, read_files_again());
  PGA_TRY(const bool renewed, renew_if_due(call_with_token));
  PGA_CHECK(follow_ca());
  return other_files || renewed;
}

// An operator has put a backup or a new registration of the same collector there, or has changed the CA file of the
// configuration. A pair that does not fit leaves what is in use alone.
Expected<bool> Upkeep::read_files_again() {
  std::string now = stamp();
  if (now == stamp_) return false;
  PGA_TRY(IdentityContent content, IdentityContent::read(identity_, operator_ca_file_));
  const bool other_certificate = content.certificate_pem != content_.certificate_pem;
  if (other_certificate || content.ca_pem != content_.ca_pem) {
    PGA_CHECK(put_in_use(std::move(content)));
    log::info("the identity's files have changed: read again");
  }
  stamp_ = std::move(now);
  return other_certificate;
}

Expected<bool> Upkeep::renew_if_due(const CallWithToken& call_with_token) {
  if (clock::now_unix_ns() < renew_at_unix_ns_) return false;
  if (next_key_pem_.empty()) {
    PGA_TRY(const crypto::Key fresh, crypto::make_p256_key());
    PGA_TRY(next_key_pem_, crypto::to_pem(fresh.get()));
  }
  PGA_TRY(const crypto::Key key, crypto::parse_private_key(next_key_pem_));
  PGA_TRY(const std::string csr, crypto::make_csr(key.get(), identity_.collector_id));
  PGA_CHECK(keep_next_key(identity_, next_key_pem_));
  auto certificate_pem = ask_for_certificate(csr, call_with_token);
  if (!certificate_pem && certificate_pem.error().code == "http.400") next_key_pem_.clear();  // not with this key
  if (!certificate_pem) return std::move(certificate_pem).error();
  PGA_TRY(const crypto::Certificate certificate, crypto::parse_certificate(certificate_pem.value()));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    static_cast<void>(crypto::openssl_reason());
    return Error{PGA_E_FAIL, "answer.form", "the server's certificate is for another key", "", 0};
  }
  PGA_CHECK(keep_next_certificate(identity_, certificate_pem.value()));
  PGA_CHECK(settle_renewal(identity_));
  // Once the server has seen the new certificate it refuses the old one, so nothing that a restart would not find may be used.
  if (!is_on_disk(identity_, next_key_pem_, certificate_pem.value())) {
    return Error{PGA_E_TRANSIENT, "identity.changed", "the identity's files were changed while the certificate was renewed", "",
                 0};
  }
  PGA_CHECK(put_in_use({std::move(next_key_pem_), std::move(certificate_pem).value(), content_.ca_pem}));
  next_key_pem_.clear();
  stamp_ = stamp();
  return true;
}

Expected<std::string> Upkeep::ask_for_certificate(const std::string& csr, const CallWithToken& call_with_token) {
  const std::string body = csr_body(csr);
  web::HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/collectors/" + identity_.collector_id + "/certificate";
  request.headers = {"Content-Type: application/json"};
  request.body = body;
  const std::int64_t over_since_unix_ns = not_after_unix_ns_;
  PGA_TRY(const web::HttpAnswer answer, ask(request, call_with_token));
  auto certificate = read_certificate(answer, clock::now_unix_ns());
  if (certificate && clock::now_unix_ns() >= over_since_unix_ns) {
    log::warn("the certificate was over since " + clock::format_rfc3339(over_since_unix_ns) +
              ": renewed late, which the server counts");
  }
  return certificate;
}

// A certificate that is over asks without a token: it cannot get one. The clocks here and there may disagree about whether it
// is, so a 401 asks the other way.
Expected<web::HttpAnswer> Upkeep::ask(const web::HttpRequest& request, const CallWithToken& call_with_token) {
  const bool is_over = clock::now_unix_ns() >= not_after_unix_ns_;
  auto answer = is_over ? client_.call(request) : call_with_token(request);
  if (!is_refused(answer)) return answer;
  return is_over ? call_with_token(request) : client_.call(request);
}

// When they have changed, asked once more: so the server knows at once that they are here.
Outcome Upkeep::follow_ca() {
  PGA_TRY(const bool changed, ask_for_ca());
  if (changed) PGA_CHECK(ask_for_ca());
  return {};
}

// GET /api/v1/ca, with the tag of what is trusted here: the server keeps count of who has the next CA already.
Expected<bool> Upkeep::ask_for_ca() {
  web::HttpRequest request;
  request.path = "/api/v1/ca";
  const std::string etag = etag_of_ca_bundle(content_.ca_pem);
  if (!etag.empty()) request.headers = {"If-None-Match: " + etag};
  PGA_TRY(const web::HttpAnswer answer, client_.call(request));
  if (answer.status == 304) return false;
  PGA_TRY(const std::string text, read_ca(answer, clock::now_unix_ns()));
  PGA_TRY(const std::string bundle, parse_ca_bundle(text));
  if (!operator_ca_file_.empty()) return tell_operator(bundle), false;
  if (!ca_bundles_overlap(bundle, content_.ca_pem)) {
    return Error{PGA_E_FAIL, "answer.form", "the server's CA certificates have none in common with those trusted here", "", 0};
  }
  PGA_CHECK(files::write_atomically(identity_.ca_file, bundle, 0644));
  PGA_CHECK(client_.use_ca(bundle));
  content_.ca_pem = bundle;
  stamp_ = stamp();
  log::info("the server's CA certificates have changed: " + identity_.ca_file + " follows");
  return true;
}

// [backend] ca_file is the operator's to change; without the next CA this collector is cut off when the server moves to it.
void Upkeep::tell_operator(const std::string& bundle) {
  if (bundle == told_bundle_ || has_all_certificates(content_.ca_pem, bundle)) return;
  told_bundle_ = bundle;
  log::write(
      log::Level::kWarn, "server's CA",
      Error{PGA_E_CONFIG, "ca.stale", operator_ca_file_ + " lacks a CA that the server is moving to",
            "Put the server's data_dir/ca.crt there, or remove ca_file from [backend]: without it the collector follows by "
            "itself.",
            0});
}

}  // namespace pganalytics::transport
