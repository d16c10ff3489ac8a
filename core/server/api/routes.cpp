#include "core/server/api/routes.h"

#include <array>

#include "core/server/api/problem.h"
#include "core/server/api/resources.h"

namespace pganalytics::server::api {
namespace {

// clang-format off
constexpr std::array kRoutes = {
  Route{"GET",    "/api/v1/health",                      Access::kAnyone,            Body::kNone, serve_health},
  Route{"GET",    "/api/v1/health/details",              Access::kViewer,            Body::kNone, serve_health_details, Rate::kRead},
  Route{"POST",   "/api/v1/collectors/register",         Access::kRegistrationToken, Body::kJson, serve_register},
  Route{"POST",   "/api/v1/collectors/{id}/token",       Access::kOwnCertificate,    Body::kNone, serve_token, Rate::kToken},
  Route{"POST",   "/api/v1/collectors/{id}/certificate", Access::kRenewal,           Body::kJson, serve_certificate, Rate::kCertificate},
  Route{"GET",    "/api/v1/ca",                          Access::kAnyCertificate,    Body::kNone, serve_ca, Rate::kRead},
  Route{"POST",   "/api/v1/metrics/push",                Access::kOwnToken,          Body::kPush, serve_push, Rate::kPush},
  Route{"PUT",    "/api/v1/schemas/{sha256}",            Access::kOwnToken,          Body::kSchema, serve_put_schema, Rate::kPush},
  Route{"GET",    "/api/v1/config/{id}",                 Access::kOwnTokenOrAdmin,   Body::kNone, serve_get_config, Rate::kRead},
  Route{"PUT",    "/api/v1/config/{id}",                 Access::kAdmin,             Body::kJson, serve_put_config, Rate::kRead},
  Route{"GET",    "/api/v1/config/{id}/history",         Access::kOperator,          Body::kNone, serve_config_history, Rate::kRead},
  Route{"POST",   "/api/v1/config/{id}/rollback",        Access::kAdmin,             Body::kJson, serve_config_rollback, Rate::kRead},
  Route{"POST",   "/api/v1/config/{id}/status",          Access::kOwnToken,          Body::kJson, serve_config_status, Rate::kPush},
  Route{"GET",    "/api/v1/collectors",                  Access::kViewer,            Body::kNone, serve_collectors, Rate::kRead},
  Route{"GET",    "/api/v1/collectors/{id}",             Access::kViewer,            Body::kNone, serve_collector, Rate::kRead},
  Route{"DELETE", "/api/v1/collectors/{id}",             Access::kAdmin,             Body::kNone, serve_revoke, Rate::kRead},
  Route{"GET",    "/api/v1/servers/{id}/metrics",        Access::kViewer,            Body::kNone, serve_metrics, Rate::kRead},
  Route{"GET",    "/api/v1/families",                    Access::kViewer,            Body::kNone, serve_families, Rate::kRead},
  Route{"GET",    "/api/v1/families/{name}",             Access::kViewer,            Body::kNone, serve_family, Rate::kRead},
  Route{"GET",    "/api/v1/query",                       Access::kViewer,            Body::kNone, serve_query, Rate::kRead},
  Route{"GET",    "/api/v1/events",                      Access::kViewer,            Body::kNone, serve_events, Rate::kRead},
  Route{"GET",    "/api/v1/audit",                       Access::kOperator,          Body::kNone, serve_audit, Rate::kRead},
};
// clang-format on

constexpr bool all_complete() {
  for (const Route& route : kRoutes) {
    if (!is_complete(route)) return false;
  }
  return true;
}
static_assert(all_complete(), "each route has a method, a path, a rule of access and a rate");

constexpr bool none_twice() {
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (kRoutes[i].method == kRoutes[k].method && kRoutes[i].pattern == kRoutes[k].pattern) return false;
    }
  }
  return true;
}
static_assert(none_twice(), "a second rule for the same route would never be looked at");

// Whether `path` has the form of `pattern`; `word` gets what stands for its {id}, {name} or {sha256}.
bool matches(std::string_view pattern, std::string_view path, std::string_view& word) {
  word = {};
  const std::size_t at = pattern.find('{');
  if (at == std::string_view::npos) return path == pattern;
  const std::string_view after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= at + after.size() || path.substr(0, at) != pattern.substr(0, at)) return false;
  if (path.substr(path.size() - after.size()) != after) return false;
  word = path.substr(at, path.size() - at - after.size());
  return word.find('/') == std::string_view::npos;
}

Found found(const Route& route, std::string_view word) {
  const bool is_id = route.pattern.find("{id}") != std::string_view::npos;
  return {&route, std::string(is_id ? word : ""), std::string(is_id ? "" : word)};
}

http::Response not_allowed(const std::string& allowed) {
  return http::Response::error(405, "method_not_allowed", "this path takes " + allowed).with_header("Allow", allowed);
}

}  // namespace

std::vector<Route> all_routes() { return {kRoutes.begin(), kRoutes.end()}; }

std::variant<Found, http::Response> find_route(const http::Request& request) {
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  std::string allowed;
  const Route* literal = nullptr;  // "collectors/register" is not a collector whose id is "register"
  for (const Route& route : kRoutes) {
    std::string_view word;
    if (!matches(route.pattern, request.path, word)) continue;
    if (literal != nullptr && !word.empty()) continue;
    if (word.empty()) literal = &route;
    if (route.method == method) return found(route, word);
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method) + (route.method == "GET" ? ", HEAD" : "");
  }
  if (!allowed.empty()) return not_allowed(allowed);
  return http::Response::error(404, "no_such_path", "there is nothing at this path");
}

}  // namespace pganalytics::server::api
