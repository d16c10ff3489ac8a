// The table of routes: everything this API serves, and who may ask for it. [any thread]
#pragma once

#include "core/server/api/access.h"
#include "core/server/http/message.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pganalytics::server::api {

struct Services;

// One request that was let in.
struct Call {
  Services& services;
  const http::Request& request;
  Caller caller;
  std::string id;    // the path's {id}: a UUID in lower case, or "" if the path has none
  std::string name;  // the path's {name} or {sha256}, as it came; "" if the path has none
};

// kNone: what comes is ignored; the others must come, as application/json.
enum class Body { kNone, kJson, kSchema, kPush };

// Which of [limits] holds for each caller. kNone: health, which costs nothing, and enrolments, which have theirs by Access.
enum class Rate { kNone, kPush, kToken, kCertificate, kRead };

struct Route {
  std::string_view method;
  std::string_view pattern;
  Access access = Access::kUndecided;
  Body body = Body::kNone;
  http::Response (&serve)(const Call& call);  // a reference: there is no route without one
  Rate rate = Rate::kNone;
};

// What a route must have to be in the table; checked when this program is compiled, so one without a rule of access, or one that
// somebody who was let in may ask without end, cannot exist.
constexpr bool is_complete(const Route& route) {
  const bool is_open = route.access == Access::kAnyone || route.access == Access::kRegistrationToken;
  const bool has_id = route.pattern.find("{id}") != std::string_view::npos;
  const bool needs_id = route.access == Access::kOwnCertificate || route.access == Access::kOwnTokenOrAdmin;
  return !route.method.empty() && route.pattern.substr(0, 8) == "/api/v1/" && route.access != Access::kUndecided &&
         (has_id || !needs_id) && (is_open || route.rate != Rate::kNone);
}

struct Found {
  const Route* route = nullptr;
  std::string id;    // what stands for {id}
  std::string name;  // what stands for {name} or {sha256}
};

// The route and its {id}, {name} or {sha256}, or 404, or 405 with Allow. HEAD finds the GET route.
std::variant<Found, http::Response> find_route(const http::Request& request);

// The whole table: what the documentation has to say.
std::vector<Route> all_routes();

}  // namespace pganalytics::server::api
