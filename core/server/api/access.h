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
  kOwnToken,           // certificate and access token, of {id} where the path names one
  kOwnTokenOrAdmin,    // the same, or an API key of an admin
  kViewer,             // an API key; each role may do what the ones before it may
  kAdmin,
};

// A caller that was let in.
struct Caller {
  std::string collector_id;                // of a collector; empty otherwise
  std::optional<store::Role> role;         // of an API key
  std::string key_id;                      // which one: how its hash begins
  [[nodiscard]] std::string name() const;  // for the audit log
};

class Gatekeeper {
 public:
  Gatekeeper(store::Store& store, const auth::TokenSigner& signer) : store_(store), signer_(signer) {}

  // path_id: the {id} of the path, "" if there is none.
  std::variant<Caller, http::Response> let_in(Access access, const http::Request& request, const std::string& path_id);

  // For a collector that was let in before: nothing unless it was revoked since.
  std::optional<http::Response> refusal_of_revoked(const Caller& caller) const;

  Revocations& revocations() { return revocations_; }

 private:
  using Verdict = std::variant<Caller, http::Response>;
  Verdict by_certificate(const http::Request& request, const std::string& path_id);
  Verdict by_token(std::string_view token, const http::Request& request, const std::string& path_id);
  Verdict by_key(std::string_view key, store::Role least);
  Verdict refuse_key(std::string_view key, std::string_view why);
  Verdict refuse_collector(std::string_view token, const http::Request& request);
  std::optional<http::Response> refusal_of_token(std::string_view token, const http::Request& request);
  std::optional<http::Response> refusal_of_standing(const std::string& collector_id);

  struct Standing {
    bool good = false;
    std::int64_t until_monotonic_ns = 0;
  };

  store::Store& store_;
  const auth::TokenSigner& signer_;
  Revocations revocations_;
  ExpiringSet unknown_keys_{60'000, 50'000};
  std::mutex mutex_;
  std::unordered_map<std::string, Standing> standings_;
};

}  // namespace pganalytics::server::api
