// The HTTP API v1 as one handler: what the program gives to HttpsServer. [worker threads, several at once]
#pragma once

#include "core/server/api/access.h"
#include "core/server/api/audit_trail.h"
#include "core/server/api/condition.h"
#include "core/server/api/pulse.h"
#include "core/server/api/throttle.h"
#include "core/server/auth/access_token.h"
#include "core/server/auth/authority.h"
#include "core/server/http/handler.h"
#include "core/server/http/refusals.h"
#include "core/server/ingest/known_schemas.h"
#include "core/server/ingest/push.h"
#include "core/server/ingest/push_counters.h"
#include "core/server/store/store.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace pganalytics::server::api {

// From so long before its end on the server's certificate is warned of, in its log and by /api/v1/health.
constexpr std::int64_t kCertificateWarningNs = 30LL * 86'400 * 1'000'000'000;

struct ApiOptions {
  std::string version;  // of the program, shown by /api/v1/health
  std::size_t push_body_bytes = 1u << 20;
  ingest::PushLimits push;
  double push_per_second = 20, push_burst = 200;  // per collector
  double read_per_second = 20, read_burst = 200;  // per collector or API key: of what is no push and no credential
  double token_per_minute = 6;                    // per collector; as many certificates
  double enrol_per_minute = 60;                   // per address
  double enrol_per_second_in_all = 50;
  unsigned enrol_failures = 5;                           // wrong registration tokens of one address...
  std::int64_t enrol_lockout_ms = 15 * 60'000;           // ...within this lock it out for this long
  double auth_failures_per_minute = 60;                  // 401s per address, or per good certificate
  std::int64_t certificate_life_ms = 7LL * 86'400'000;   // for a CSR
  std::int64_t simple_certificate_life_ms = 86'400'000;  // for a key made here, at most as long as for a CSR
  bool server_keys = true;                               // whether the simple form, without a CSR, is served at all
  // When the certificate that TLS shows is over; nullptr: not known, and not told by /api/v1/health.
  const std::atomic<std::int64_t>* certificate_until_unix_ns = nullptr;
  std::shared_ptr<http::Refusals> refusals = std::make_shared<http::Refusals>();  // where to count them
  std::shared_ptr<ingest::PushCounters> pushes = std::make_shared<ingest::PushCounters>();
  std::shared_ptr<Condition> condition = std::make_shared<Condition>();  // what /api/v1/health tells
};

// What the resources share. Outlives every request.
struct Services {
  store::Store& store;
  auth::Authority& authority;
  auth::TokenSigner& signer;
  const ApiOptions options;
  Gatekeeper gatekeeper;
  Throttle throttle;
  AuditTrail trail;
  Pulse database;
  ingest::KnownSchemas schemas;
  std::atomic<std::size_t> push_body_bytes, push_inflated_bytes;  // those of `options`, until others are used
};

class Api {
 public:
  // The three outlive the Api.
  Api(store::Store& store, auth::Authority& authority, auth::TokenSigner& signer, const ApiOptions& options);

  // An http::Handler.
  http::Admission operator()(const http::Request& head);

  // Other rates and sizes from now on; the other options stay as they were. [any thread]
  void use(const ApiOptions& options);

  // Looks which collectors were revoked, here or by another server, since the last call: they are refused from now on, and the
  // program closes their connections. Once a second, by one thread.
  Expected<std::vector<std::string>> newly_revoked();

 private:
  http::Admission admit(const Found& found, const http::Request& head);
  std::variant<Caller, http::Response> identify(const Route& route, const http::Request& head, const std::string& path_id);
  http::Response serve(const Route& route, const Call& call);
  void note_refusal(const Route& route, const http::Request& head, const Caller& caller, const std::string& path_id,
                    const http::Response& response);

  Services services_;
};

}  // namespace pganalytics::server::api
