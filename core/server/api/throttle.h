// How often: each collector's and each address's rates, and who is locked out. What is asked too often gets 429 with Retry-After.
//
// Here: the numbers and their answers. Not here: who somebody is (access.h). An address counts by its network (IPv6: /64).
// Failures of a connection with a good certificate count against that certificate, not against its address: behind one address
// there may be a fleet. Nor against its collector: who has an old copy must not shut the real one out. Each server counts for
// itself. [any thread]
#pragma once

#include "core/server/api/access.h"
#include "core/server/api/lockout.h"
#include "core/server/api/rate_limit.h"
#include "core/server/api/routes.h"
#include "core/server/http/message.h"
#include "core/server/http/refusals.h"

#include <optional>
#include <string>

namespace pganalytics::server::api {

struct ApiOptions;

class Throttle {
 public:
  explicit Throttle(const ApiOptions& options);

  // Other rates from now on.
  void use(const ApiOptions& options);

  // Before it is looked at who is asking: so guessing costs us nothing.
  std::optional<http::Response> before_identity(const Route& route, const http::Request& head);
  // For a caller that was let in, before its body is read.
  std::optional<http::Response> before_work(const Route& route, const Caller& caller, const http::Request& head);

  // A request ended with 401. True: it was a wrong registration token, and its address is locked out from now on.
  bool failed(const Route& route, const http::Request& head);

  // Of whom a request's failures tell, for the audit log: "collector:<id>" or "address:<network>".
  static std::string suspect(const http::Request& head);

 private:
  static std::string failure_key(const http::Request& head);
  http::Response refuse(http::Refusal reason, std::int64_t wait_s, std::string_view code, std::string_view message);

  http::Refusals& refusals_;
  RateLimit pushes_, reads_, tokens_, certificates_, enrolments_, all_enrolments_, failures_;
  Lockout wrong_tokens_;
};

}  // namespace pganalytics::server::api
