#include "core/server/api/access.h"

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/log/log.h"
#include "core/server/api/problem.h"
#include "core/server/auth/secret_text.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

// How long a collector's good standing is believed without asking: even if revocations could not be polled, one takes effect
// within this. A bad one does not get better, so it is remembered longer.
constexpr std::int64_t kGoodStandingNs = 2'000'000'000;
constexpr std::int64_t kBadStandingNs = 60'000'000'000;
constexpr std::size_t kMaxStandings = 50'000;
constexpr std::size_t kKeyIdDigits = 8;

Response unauthorized(std::string_view message) { return Response::error(401, "unauthorized", message); }
Response forbidden(std::string_view message) { return Response::error(403, "forbidden", message); }

// The token of "Authorization: Bearer <token>"; "" for anything else.
std::string_view bearer_of(const http::Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view value = request.header("authorization");
  if (value.size() <= kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = value[i] >= 'A' && value[i] <= 'Z' ? static_cast<char>(value[i] - 'A' + 'a') : value[i];
    if (c != kScheme[i]) return {};
  }
  value.remove_prefix(kScheme.size());
  const std::size_t start = value.find_first_not_of(' ');
  return start == std::string_view::npos ? std::string_view() : value.substr(start);
}

std::optional<Response> refusal_of(store::Standing::Kind kind) {
  switch (kind) {
    case store::Standing::Kind::kGood: return std::nullopt;
    case store::Standing::Kind::kSuperseded:
      return Response::error(
          403, "certificate_superseded",
          "this certificate was replaced by a newer one that has been used since: restore the newer identity of "
          "this collector, or move the old one away and register anew");
    case store::Standing::Kind::kRevoked: break;
  }
  return collector_revoked();
}

store::ShownCertificate shown(const http::PeerCertificate& peer) {
  return {peer.thumbprint_sha256, peer.public_key_sha256, peer.not_before_unix_ns, peer.not_after_unix_ns};
}

bool is_key(std::string_view bearer) { return bearer.substr(0, 4) == "pga_"; }

}  // namespace

std::string Caller::name() const {
  if (!collector_id.empty()) return "collector:" + collector_id;
  if (!role) return "anyone";
  switch (*role) {
    case store::Role::kViewer: return "key:viewer:" + key_id;
    case store::Role::kOperator: return "key:operator:" + key_id;
    case store::Role::kAdmin: return "key:admin:" + key_id;
  }
  return "key:" + key_id;
}

Gatekeeper::Verdict Gatekeeper::let_in(Access access, const http::Request& request, const std::string& path_id) {
  const std::string_view bearer = bearer_of(request);
  // Before any signature is computed or the database asked.
  const auto& peer = request.peer ? request.peer : request.expired_peer;
  const bool as_collector = access != Access::kAnyone && access != Access::kRegistrationToken && !is_key(bearer);
  if (as_collector && peer && revocations_.has(peer->collector_id)) return collector_revoked();
  switch (access) {
    case Access::kUndecided: break;
    case Access::kAnyone:
    case Access::kRegistrationToken: return Caller{};
    case Access::kOwnCertificate: return by_certificate(request, path_id);
    case Access::kAnyCertificate: return by_certificate(request, request.peer ? request.peer->collector_id : std::string());
    case Access::kRenewal:
      if (request.expired_peer && bearer.empty())
        return by_expired_certificate(*request.expired_peer, path_id, request.remote_address);
      [[fallthrough]];
    case Access::kOwnToken:
      return is_key(bearer) ? refuse_key(bearer, "an API key cannot act as a collector") : by_token(bearer, request, path_id);
    case Access::kOwnTokenOrAdmin:
      return is_key(bearer) ? by_key(bearer, store::Role::kAdmin) : by_token(bearer, request, path_id);
    case Access::kViewer: return by_persons_key(bearer, request, store::Role::kViewer);
    case Access::kOperator: return by_persons_key(bearer, request, store::Role::kOperator);
    case Access::kAdmin: return by_persons_key(bearer, request, store::Role::kAdmin);
  }
  return unauthorized("this route has no rule of access");
}

std::optional<Response> Gatekeeper::refusal_of_revoked(const Caller& caller, const http::Request& request) {
  if (!caller.collector_id.empty() && revocations_.has(caller.collector_id)) return collector_revoked();
  if (!caller.role || request.body.empty()) return std::nullopt;  // nothing took its time
  auto verdict = by_key(bearer_of(request), *caller.role);
  if (auto* refusal = std::get_if<Response>(&verdict)) return std::move(*refusal);
  return std::nullopt;
}

Gatekeeper::Verdict Gatekeeper::by_certificate(const http::Request& request, const std::string& path_id) {
  if (!request.peer) {
    return unauthorized(request.expired_peer ? "the client certificate is over: it may only renew itself"
                                             : "this route needs the collector's client certificate");
  }
  if (request.peer->collector_id != path_id) return forbidden("the client certificate is another collector's");
  if (auto refusal = refusal_of_standing(*request.peer, request.remote_address)) return std::move(*refusal);
  return Caller{path_id, false, std::nullopt, {}};
}

// TLS has proved that the peer holds the old key; the rest is whether it may still use it for this.
Gatekeeper::Verdict Gatekeeper::by_expired_certificate(const http::PeerCertificate& peer, const std::string& path_id,
                                                       const std::string& address) {
  if (peer.collector_id != path_id) return forbidden("the client certificate is another collector's");
  if (revocations_.has(path_id)) return collector_revoked();
  if (clock::now_unix_ns() > peer.not_after_unix_ns + kLateRenewalNs) {
    return Response::error(403, "certificate_expired",
                           "this certificate ended more than 30 days ago: move the identity away and register anew");
  }
  const auto found = store_.standing_of_expired(path_id, shown(peer), address);
  if (!found) return problem("look up a collector", found.error());
  tell(peer, found.value().standing.news);
  if (auto refusal = refusal_of(found.value().standing.kind)) return std::move(*refusal);
  if (found.value().late_renewals >= kLateRenewalsMax) {
    return Response::error(403, "late_renewals_exhausted",
                           "this collector let its certificate run out three times in a row: move the identity away and register "
                           "anew");
  }
  return Caller{path_id, true, std::nullopt, {}};
}

Gatekeeper::Verdict Gatekeeper::by_token(std::string_view token, const http::Request& request, const std::string& path_id) {
  if (auto refusal = refusal_of_token(token, request)) return std::move(*refusal);
  const std::string& id = request.peer->collector_id;
  if (!path_id.empty() && path_id != id) return forbidden("a collector may act for itself only");
  if (auto refusal = refusal_of_standing(*request.peer, request.remote_address)) return std::move(*refusal);
  return Caller{id, false, std::nullopt, {}};
}

// Nothing, if the token is ours, in force, and bound to the certificate of this connection.
std::optional<Response> Gatekeeper::refusal_of_token(std::string_view token, const http::Request& request) {
  if (token.empty()) return unauthorized("this route needs \"Authorization: Bearer\" with a token or key");
  if (!request.peer) return unauthorized("an access token is good only with the client certificate it is bound to");
  const auto claims = signer_.verify(token);
  if (!claims) {
    log::debug("an access token of " + request.remote_address + " was refused: " + claims.error().message);
    return unauthorized("the access token is not valid");
  }
  const bool bound = crypto::equal_in_constant_time(claims.value().certificate_thumbprint, request.peer->thumbprint_sha256);
  if (!bound || claims.value().collector_id != request.peer->collector_id) {
    return unauthorized("the access token is bound to another certificate");
  }
  return std::nullopt;
}

// Known, not revoked, and with the certificate in force; asked of the store at most every two seconds.
std::optional<Response> Gatekeeper::refusal_of_standing(const http::PeerCertificate& peer, const std::string& address) {
  if (revocations_.has(peer.collector_id)) return collector_revoked();
  if (const auto known = remembered_standing(peer)) return refusal_of(*known);
  const auto found = store_.standing(peer.collector_id, shown(peer), address);
  if (!found) return problem("look up a collector", found.error());
  remember_standing(peer, found.value().kind);
  tell(peer, found.value().news);
  return refusal_of(found.value().kind);
}

std::optional<store::Standing::Kind> Gatekeeper::remembered_standing(const http::PeerCertificate& peer) {
  const std::lock_guard lock(mutex_);
  const auto known = standings_.find(peer.collector_id);
  if (known == standings_.end() || known->second.thumbprint != peer.thumbprint_sha256) return std::nullopt;
  if (clock::now_monotonic_ns() >= known->second.until_monotonic_ns) return std::nullopt;
  return known->second.kind;
}

void Gatekeeper::remember_standing(const http::PeerCertificate& peer, store::Standing::Kind kind) {
  const std::int64_t believed_ns = kind == store::Standing::Kind::kGood ? kGoodStandingNs : kBadStandingNs;
  const std::lock_guard lock(mutex_);
  if (standings_.size() >= kMaxStandings) standings_.clear();
  standings_[peer.collector_id] = Remembered{peer.thumbprint_sha256, kind, clock::now_monotonic_ns() + believed_ns};
}

// A certificate that comes back after it was replaced is a restored folder, a cloned machine, or a thief: somebody should know.
// The store has written it into the audit log.
void Gatekeeper::tell(const http::PeerCertificate& peer, store::Standing::News news) {
  using News = store::Standing::News;
  if (news == News::kNone || news == News::kFirstUse) return;
  const char* const action = news == News::kAdopted ? "collector.certificate_adopted" : "collector.certificate_superseded";
  log::warn(std::string(action) + ": collector " + peer.collector_id + ", certificate " + peer.thumbprint_sha256);
}

Gatekeeper::Verdict Gatekeeper::by_key(std::string_view key, store::Role least) {
  if (!auth::is_api_key(key)) return unauthorized("the API key is not known");
  const std::string hash = auth::sha256_hex(key);
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (unknown_keys_.has(hash, now_ns)) return unauthorized("the API key is not known");
  const auto role = store_.role_of_api_key(hash);
  if (!role) return problem("look up an API key", role.error());
  if (!role.value()) {
    unknown_keys_.add(hash, now_ns);
    return unauthorized("the API key is not known");
  }
  note_used(hash, now_ns);
  if (*role.value() < least) return forbidden("the API key's role may not do this");
  return Caller{{}, false, *role.value(), hash.substr(0, kKeyIdDigits)};
}

// Once a minute. That it cannot be written refuses nobody: reading goes on where the database takes no writes.
void Gatekeeper::note_used(const std::string& key_sha256, std::int64_t now_monotonic_ns) {
  if (noted_keys_.has(key_sha256, now_monotonic_ns)) return;
  noted_keys_.add(key_sha256, now_monotonic_ns);
  if (const Outcome noted = store_.note_key_used(key_sha256); !noted)
    log::write(log::Level::kWarn, "note that an API key is in use", noted.error());
}

Gatekeeper::Verdict Gatekeeper::by_persons_key(std::string_view bearer, const http::Request& request, store::Role least) {
  return is_key(bearer) ? by_key(bearer, least) : refuse_collector(bearer, request);
}

// A key that is good is 403, a key that is none 401.
Gatekeeper::Verdict Gatekeeper::refuse_key(std::string_view key, std::string_view why) {
  auto verdict = by_key(key, store::Role::kViewer);
  if (std::holds_alternative<Response>(verdict)) return verdict;
  return forbidden(why);
}

// The same for access tokens where only people's keys are good.
Gatekeeper::Verdict Gatekeeper::refuse_collector(std::string_view token, const http::Request& request) {
  if (auto refusal = refusal_of_token(token, request)) return std::move(*refusal);
  return forbidden("collectors may not do this; it needs an API key");
}

}  // namespace pganalytics::server::api
