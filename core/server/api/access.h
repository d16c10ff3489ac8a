// Who is asking, and is that enough for this route.
//
// Deny by default: a caller has the rights of what it proved on THIS connection and nothing else. An access token counts only
// together with the client certificate it is bound to (RFC 8705). Missing or bad credentials are 401; good ones of somebody who
// may not are 403. [any thread]
#pragma once

#include "core/server/api/expiring_set.h"
#include "core/server/api/revocations.h"
#include "core/server/auth/access_token.h"
#include "core/server/http/message.h"
#include "core/server/store/store.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace pganalytics::server::api {

// What a route asks for. "{id}" is the collector named in its path.
enum class Access {
  kUndecided,  // of a route that forgot to say: the table does not compile with it
  kAnyone,
  kRegistrationToken,  // looked at by the route itself: enrolling uses the token up
  kOwnCertificate,     // the client certificate of {id}
  kAnyCertificate,     // the client certificate of any collector: what it gets is for itself
  kRenewal,            // as kOwnToken, or the certificate of {id} alone where it is over: what it may do then is said below
  kOwnToken,           // certificate and access token, of {id} where the path names one
  kOwnTokenOrAdmin,    // the same, or an API key of an admin
  kViewer,             // an API key; each role may do what the ones before it may
  kOperator,
  kAdmin,
};

// A caller that was let in.
struct Caller {
  std::string collector_id;                // of a collector; empty otherwise
  bool late = false;                       // its certificate is over
  std::optional<store::Role> role;         // of an API key
  std::string key_id;                      // which one: how its hash begins
  [[nodiscard]] std::string name() const;  // for the audit log
};

// A certificate that ended at most so long ago may renew itself, so often in a row: a machine that was off comes back by itself,
// one that nobody looks after does not live for ever.
constexpr std::int64_t kLateRenewalNs = 30LL * 86'400 * 1'000'000'000;
constexpr int kLateRenewalsMax = 3;

class Gatekeeper {
 public:
  Gatekeeper(store::Store& store, const auth::TokenSigner& signer) : store_(store), signer_(signer) {}

  // path_id: the {id} of the path, "" if there is none.
  std::variant<Caller, http::Response> let_in(Access access, const http::Request& request, const std::string& path_id);

  // For a caller that was let in before its body came: nothing unless it, collector or key, was revoked since.
  std::optional<http::Response> refusal_of_revoked(const Caller& caller, const http::Request& request);

  Revocations& revocations() { return revocations_; }

 private:
  using Verdict = std::variant<Caller, http::Response>;
  Verdict by_certificate(const http::Request& request, const std::string& path_id);
  Verdict by_expired_certificate(const http::PeerCertificate& peer, const std::string& path_id, const std::string& address);
  Verdict by_token(std::string_view token, const http::Request& request, const std::string& path_id);
  Verdict by_key(std::string_view key, store::Role least);
  Verdict by_persons_key(std::string_view bearer, const http::Request& request, store::Role least);
  Verdict refuse_key(std::string_view key, std::string_view why);
  Verdict refuse_collector(std::string_view token, const http::Request& request);
  std::optional<http::Response> refusal_of_token(std::string_view token, const http::Request& request);
  std::optional<http::Response> refusal_of_standing(const http::PeerCertificate& peer, const std::string& address);
  std::optional<store::Standing::Kind> remembered_standing(const http::PeerCertificate& peer);
  void remember_standing(const http::PeerCertificate& peer, store::Standing::Kind kind);
  static void tell(const http::PeerCertificate& peer, store::Standing::News news);
  void note_used(const std::string& key_sha256, std::int64_t now_monotonic_ns);

  // Of the certificate that a collector showed last: another one of it is looked up anew.
  struct Remembered {
    std::string thumbprint;
    store::Standing::Kind kind = store::Standing::Kind::kRevoked;
    std::int64_t until_monotonic_ns = 0;
  };

  store::Store& store_;
  const auth::TokenSigner& signer_;
  Revocations revocations_;
  ExpiringSet unknown_keys_{60'000, 50'000};
  ExpiringSet noted_keys_{60'000, 10'000};  // that they are in use is written down
  std::mutex mutex_;
  std::unordered_map<std::string, Remembered> standings_;
};

}  // namespace pganalytics::server::api
