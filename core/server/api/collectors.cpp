// GET /api/v1/collectors, GET and DELETE /api/v1/collectors/{id}.
#include <pganalytics/json.hpp>

#include "core/server/api/api.h"
#include "core/server/api/collector_detail.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {

using http::Response;

Response serve_collectors(const Call& call) {
  const auto rows = call.services.store.collectors();
  if (!rows) return problem("list collectors", rows.error());
  const auto statuses = call.services.store.config_statuses();
  if (!statuses) return problem("list what collectors say of their configuration", statuses.error());
  JsonWriter json;
  json.begin_object().key("collectors").begin_array();
  for (const store::CollectorRow& row : rows.value()) {
    const auto status = statuses.value().find(row.id);
    json.begin_object();
    write_members(json, row, status == statuses.value().end() ? nullptr : &status->second);
    json.end_object();
  }
  json.end_array().end_object();
  return Response::json(200, std::string(json.text()));
}

Response serve_collector(const Call& call) {
  const auto detail = read_collector_detail(call.services.store, call.id);
  if (!detail) return problem("read what is known of a collector", detail.error());
  return Response::json(200, to_json(detail.value()));
}

// What it has sent stays readable; it may not send more. Revoking twice is as good as once.
Response serve_revoke(const Call& call) {
  store::Store& store = call.services.store;
  const store::AuditEntry entry{call.caller.name(), "collector.revoke", call.id, call.request.remote_address, "{}"};
  if (const Outcome revoked = store.revoke_collector(call.id, entry); !revoked)
    return problem("revoke a collector", revoked.error());
  call.services.gatekeeper.revocations().add(call.id);
  Response done;
  done.status = 204;
  return done;
}

}  // namespace pganalytics::server::api
