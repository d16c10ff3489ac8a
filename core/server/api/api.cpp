#include "core/server/api/api.h"

#include <memory>
#include <utility>
#include <variant>

#include "core/compression/compression.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr std::size_t kBodyBytes = 64 * 1024;

// 415 before the body is read. "application/json" with or without parameters.
std::optional<Response> refusal_of_media(Body body, const http::Request& head) {
  if (body == Body::kNone) return std::nullopt;
  std::string type(head.header("content-type").substr(0, head.header("content-type").find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (type != "application/json") return Response::error(415, "unsupported_media_type", "this route takes application/json");
  const auto encoding = compression::parse_content_encoding(head.header("content-encoding"));
  const bool is_plain = encoding && encoding.value() == compression::Encoding::kIdentity;
  if (!encoding || (body != Body::kPush && !is_plain)) {
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
                Throttle(options),
                AuditTrail(store),
                Pulse([&store] { return store.ping(); }),
                ingest::KnownSchemas(store),
                {options.push_body_bytes},
                {options.push.inflated_bytes}} {}

http::Admission Api::operator()(const http::Request& head) {
  auto found_or = find_route(head);
  if (auto* refusal = std::get_if<Response>(&found_or)) return std::move(*refusal);
  const auto& found = std::get<Found>(found_or);
  http::Admission admission = admit(found, head);
  std::visit([&](auto& answer) { answer.route = found.route->pattern; }, admission);
  return admission;
}

http::Admission Api::admit(const Found& found, const http::Request& head) {
  const Route& route = *found.route;
  // An id that is no UUID is nobody's; who may learn that is decided first.
  const auto id = parse_uuid(found.id);
  auto verdict = identify(route, head, id.value_or(found.id));
  if (auto* refusal = std::get_if<Response>(&verdict)) return std::move(*refusal);
  if (!found.id.empty() && !id) return no_such_collector();
  auto caller = std::get<Caller>(std::move(verdict));
  if (auto refusal = services_.throttle.before_work(route, caller, head)) return std::move(*refusal);
  if (auto refusal = refusal_of_media(route.body, head)) return std::move(*refusal);

  http::Accepted accepted;
  accepted.body_bytes = route.body == Body::kPush     ? services_.push_body_bytes.load()
                        : route.body == Body::kSchema ? ingest::kSchemaBytes
                                                      : kBodyBytes;
  accepted.needs_body = route.body != Body::kNone;
  accepted.authenticated = !caller.collector_id.empty() || caller.role.has_value();
  accepted.serve = [this, &route, caller = std::move(caller), path_id = id.value_or(""),
                    name = found.name](const http::Request& request) {
    return serve(route, Call{services_, request, caller, path_id, name});
  };
  return accepted;
}

std::variant<Caller, Response> Api::identify(const Route& route, const http::Request& head, const std::string& path_id) {
  if (auto refusal = services_.throttle.before_identity(route, head)) return std::move(*refusal);
  auto verdict = services_.gatekeeper.let_in(route.access, head, path_id);
  if (const auto* refusal = std::get_if<Response>(&verdict)) note_refusal(route, head, {}, path_id, *refusal);
  return verdict;
}

// A body may have taken its time: whoever was revoked meanwhile is refused all the same.
Response Api::serve(const Route& route, const Call& call) {
  if (auto refusal = services_.gatekeeper.refusal_of_revoked(call.caller, call.request)) {
    note_refusal(route, call.request, call.caller, call.id, *refusal);
    return std::move(*refusal);
  }
  Response response = route.serve(call);
  if (response.status == 401 || response.status == 403) note_refusal(route, call.request, call.caller, call.id, response);
  return response;
}

void Api::note_refusal(const Route& route, const http::Request& head, const Caller& caller, const std::string& path_id,
                       const Response& response) {
  http::Refusals& refusals = *services_.options.refusals;
  if (response.status == 401) {
    refusals.count(http::Refusal::kCredentials);
    const bool locked_out = services_.throttle.failed(route, head);
    if (route.access == Access::kRegistrationToken) {
      services_.trail.enrolment_refused(head, locked_out);
    } else {
      services_.trail.failed(Throttle::suspect(head), head);
    }
    return;
  }
  if (response.status != 403) return;
  const auto& peer = head.peer ? head.peer : head.expired_peer;
  const std::string collector = peer ? peer->collector_id : caller.collector_id;
  // The path names another, or a push that was let in does so in its body.
  const bool is_anothers = path_id.empty() ? !caller.collector_id.empty() : !collector.empty() && path_id != collector;
  if (response.ends_connection) {
    refusals.count(http::Refusal::kRevoked);
    services_.trail.revoked_came(collector, head);
  } else if (is_anothers) {
    refusals.count(http::Refusal::kOtherCollector);
    services_.trail.crossed("collector:" + collector, path_id, head);
  } else {
    refusals.count(http::Refusal::kRights);
  }
}

void Api::use(const ApiOptions& options) {
  services_.throttle.use(options);
  services_.push_body_bytes = options.push_body_bytes;
  services_.push_inflated_bytes = options.push.inflated_bytes;
}

Expected<std::vector<std::string>> Api::newly_revoked() { return services_.gatekeeper.revocations().refresh(services_.store); }

namespace {

ingest::PushLimits push_limits(const Services& services) {
  ingest::PushLimits limits = services.options.push;
  limits.inflated_bytes = services.push_inflated_bytes;
  return limits;
}

}  // namespace

Response serve_push(const Call& call) {
  return ingest::push(call.services.store, call.services.schemas, call.caller.collector_id, call.request,
                      push_limits(call.services), *call.services.options.pushes);
}

}  // namespace pganalytics::server::api
