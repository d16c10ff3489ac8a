#include "core/server/api/api.h"

#include <memory>
#include <pganalytics/json.hpp>
#include <utility>
#include <variant>

#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "core/log/log.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr std::size_t kBodyBytes = 64 * 1024;

Response too_many(std::int64_t wait_s, std::string_view message) {
  return Response::error(429, "too_many_requests", message).with_header("Retry-After", std::to_string(wait_s));
}

std::optional<Response> refusal_of_rate(Services& services, Access access, Body body, const Caller& caller,
                                        const http::Request& head) {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (access == Access::kRegistrationToken) {
    if (const auto wait_s = services.enrolments.take(head.remote_address, now_ns); wait_s > 0) {
      return too_many(wait_s, "too many enrolments from this address");
    }
  }
  if (body == Body::kPush) {
    if (const auto wait_s = services.pushes.take(caller.collector_id, now_ns); wait_s > 0) {
      return too_many(wait_s, "this collector pushes too often");
    }
  }
  return std::nullopt;
}

// 415 before the body is read. "application/json" with or without parameters.
std::optional<Response> refusal_of_media(Body body, const http::Request& head) {
  if (body == Body::kNone) return std::nullopt;
  std::string type(head.header("content-type").substr(0, head.header("content-type").find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (type != "application/json") return Response::error(415, "unsupported_media_type", "this route takes application/json");
  const auto encoding = compression::parse_content_encoding(head.header("content-encoding"));
  const bool is_plain = encoding && encoding.value() == compression::Encoding::kIdentity;
  if (!encoding || (body == Body::kJson && !is_plain)) {
    const char* const takes = body == Body::kPush ? "zstd, gzip or no Content-Encoding" : "no Content-Encoding";
    return Response::error(415, "unsupported_encoding", std::string("this route takes ") + takes);
  }
  return std::nullopt;
}

}  // namespace

Api::Api(store::Store& store, auth::Authority& authority, auth::TokenSigner& signer, const ApiOptions& options)
    : services_{store,
                authority,
                signer,
                options,
                Gatekeeper(store, signer),
                RateLimit(options.push_per_second, options.push_burst),
                RateLimit(options.enrol_per_minute / 60, options.enrol_per_minute)} {}

http::Admission Api::operator()(const http::Request& head) {
  auto found_or = find_route(head);
  if (auto* refusal = std::get_if<Response>(&found_or)) return std::move(*refusal);
  const auto& found = std::get<Found>(found_or);
  const Route& route = *found.route;
  // An id that is no UUID is nobody's; who may learn that is decided first.
  const auto id = parse_uuid(found.id);
  auto verdict = services_.gatekeeper.let_in(route.access, head, id.value_or(found.id));
  if (auto* refusal = std::get_if<Response>(&verdict)) return std::move(*refusal);
  if (!found.id.empty() && !id) return no_such_collector();
  auto caller = std::get<Caller>(std::move(verdict));
  if (auto refusal = refusal_of_rate(services_, route.access, route.body, caller, head)) return std::move(*refusal);
  if (auto refusal = refusal_of_media(route.body, head)) return std::move(*refusal);

  http::Accepted accepted;
  accepted.body_bytes = route.body == Body::kPush ? services_.options.push_body_bytes : kBodyBytes;
  accepted.needs_body = route.body != Body::kNone;
  accepted.authenticated = !caller.collector_id.empty() || caller.role.has_value();
  accepted.serve = [this, serve = route.serve, caller = std::move(caller),
                    path_id = id.value_or("")](const http::Request& request) {
    return serve(Call{services_, request, caller, path_id});
  };
  return accepted;
}

Response serve_health(const Call& call) {
  const Outcome database = call.services.store.ping();
  JsonWriter json;
  if (database) {
    json.begin_object()
        .member("status", "ok")
        .member("version", call.services.options.version)
        .member("database", "ok")
        .end_object();
    return Response::json(200, std::string(json.text()));
  }
  log::write(log::Level::kWarn, "health: ping the database", database.error());
  return Response::error(503, "database_unavailable", "the server's database cannot be reached now");
}

Response serve_push(const Call& call) {
  return ingest::push(call.services.store, call.caller.collector_id, call.request, call.services.options.push);
}

}  // namespace pganalytics::server::api
