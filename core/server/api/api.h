// The HTTP API v1 as one handler: what the program gives to HttpsServer. [worker threads, several at once]
#pragma once

#include "core/server/api/access.h"
#include "core/server/api/rate_limit.h"
#include "core/server/auth/access_token.h"
#include "core/server/auth/authority.h"
#include "core/server/http/handler.h"
#include "core/server/ingest/push.h"
#include "core/server/store/store.h"

#include <atomic>
#include <cstdint>
#include <string>

namespace pganalytics::server::api {

struct ApiOptions {
  std::string version;  // of the program, shown by /api/v1/health
  std::size_t push_body_bytes = 1u << 20;
  ingest::PushLimits push;
  double push_per_second = 20, push_burst = 200;         // per collector
  double enrol_per_minute = 60;                          // per address
  std::int64_t certificate_life_ms = 7LL * 86'400'000;   // for a CSR
  std::int64_t simple_certificate_life_ms = 86'400'000;  // for a key made here
};

// What the resources share. Outlives every request.
struct Services {
  store::Store& store;
  auth::Authority& authority;
  auth::TokenSigner& signer;
  const ApiOptions options;
  Gatekeeper gatekeeper;
  RateLimit pushes;
  RateLimit enrolments;
};

class Api {
 public:
  // The three outlive the Api.
  Api(store::Store& store, auth::Authority& authority, auth::TokenSigner& signer, const ApiOptions& options);

  // An http::Handler.
  http::Admission operator()(const http::Request& head);

 private:
  Services services_;
};

}  // namespace pganalytics::server::api
