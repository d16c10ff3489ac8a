#include "core/server/api/throttle.h"

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/http/client_address.h"

namespace pganalytics::server::api {

using http::Refusal;
using http::Response;

Throttle::Throttle(const ApiOptions& options)
    : refusals_(*options.refusals),
      pushes_(options.push_per_second, options.push_burst),
      reads_(options.read_per_second, options.read_burst),
      tokens_(options.token_per_minute / 60, options.token_per_minute),
      certificates_(options.token_per_minute / 60, options.token_per_minute),
      enrolments_(options.enrol_per_minute / 60, options.enrol_per_minute),
      all_enrolments_(options.enrol_per_second_in_all, options.enrol_per_second_in_all),
      failures_(options.auth_failures_per_minute / 60, options.auth_failures_per_minute),
      wrong_tokens_(options.enrol_failures, options.enrol_lockout_ms) {}

void Throttle::use(const ApiOptions& options) {
  pushes_.use(options.push_per_second, options.push_burst);
  reads_.use(options.read_per_second, options.read_burst);
  tokens_.use(options.token_per_minute / 60, options.token_per_minute);
  certificates_.use(options.token_per_minute / 60, options.token_per_minute);
  enrolments_.use(options.enrol_per_minute / 60, options.enrol_per_minute);
  all_enrolments_.use(options.enrol_per_second_in_all, options.enrol_per_second_in_all);
  failures_.use(options.auth_failures_per_minute / 60, options.auth_failures_per_minute);
  wrong_tokens_.use(options.enrol_failures, options.enrol_lockout_ms);
}

std::string Throttle::suspect(const http::Request& head) {
  return head.peer ? "collector:" + head.peer->collector_id : "address:" + http::network_of(head.remote_address);
}

std::string Throttle::failure_key(const http::Request& head) {
  return head.peer ? "certificate:" + head.peer->thumbprint_sha256 : suspect(head);
}

Response Throttle::refuse(Refusal reason, std::int64_t wait_s, std::string_view code, std::string_view message) {
  refusals_.count(reason);
  return Response::error(429, code, message).with_header("Retry-After", std::to_string(wait_s));
}

std::optional<Response> Throttle::before_identity(const Route& route, const http::Request& head) {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (route.access == Access::kAnyone) return std::nullopt;
  if (route.access != Access::kRegistrationToken) {
    const auto wait_s = failures_.wait_s(failure_key(head), now_ns);
    if (wait_s == 0) return std::nullopt;
    return refuse(Refusal::kFailureRate, wait_s, "too_many_failures",
                  "too many requests with missing or bad credentials from here");
  }
  const std::string network = http::network_of(head.remote_address);
  if (const auto wait_s = wrong_tokens_.locked_s(network, now_ns); wait_s > 0) {
    return refuse(Refusal::kEnrolLockout, wait_s, "locked_out", "too many wrong registration tokens from this address");
  }
  auto wait_s = enrolments_.take(network, now_ns);
  if (wait_s == 0) wait_s = all_enrolments_.take({}, now_ns);
  if (wait_s == 0) return std::nullopt;
  return refuse(Refusal::kEnrolRate, wait_s, "too_many_requests", "too many enrolments from this address, or in all");
}

std::optional<Response> Throttle::before_work(const Route& route, const Caller& caller, const http::Request& head) {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  const std::string& who = caller.collector_id.empty() ? head.remote_address : caller.collector_id;
  switch (route.rate) {
    case Rate::kNone: return std::nullopt;
    case Rate::kPush:
      if (const auto wait_s = pushes_.take(who, now_ns); wait_s > 0) {
        return refuse(Refusal::kPushRate, wait_s, "too_many_requests", "this collector pushes too often");
      }
      return std::nullopt;
    case Rate::kRead:
      if (const auto wait_s = reads_.take(caller.name(), now_ns); wait_s > 0) {
        return refuse(Refusal::kReadRate, wait_s, "too_many_requests", "this collector or API key asks too often");
      }
      return std::nullopt;
    case Rate::kToken:
    case Rate::kCertificate:
      RateLimit& rate = route.rate == Rate::kToken ? tokens_ : certificates_;
      if (const auto wait_s = rate.take(who, now_ns); wait_s > 0) {
        return refuse(Refusal::kTokenRate, wait_s, "too_many_requests", "this collector asks for new credentials too often");
      }
      return std::nullopt;
  }
  return std::nullopt;
}

bool Throttle::failed(const Route& route, const http::Request& head) {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (route.access == Access::kRegistrationToken) return wrong_tokens_.fail(http::network_of(head.remote_address), now_ns);
  failures_.take(failure_key(head), now_ns);
  return false;
}

}  // namespace pganalytics::server::api
