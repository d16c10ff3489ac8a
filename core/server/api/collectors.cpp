// GET /api/v1/collectors, GET and DELETE /api/v1/collectors/{id}.
#include <optional>
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/api/collector_health.h"
#include "core/server/api/config_status.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

std::optional<std::string> time_of(std::int64_t unix_ns) {
  if (unix_ns == 0) return std::nullopt;
  return clock::format_rfc3339(unix_ns);
}

void write(JsonWriter& json, const store::CollectorRow& row, const store::ConfigStatus* status) {
  json.begin_object();
  json.member("id", row.id).member("name", row.name).member("hostname", row.hostname).member("version", row.version);
  json.member("created_at", time_of(row.created_unix_ns)).member("last_push_at", time_of(row.last_push_unix_ns));
  json.member("batches", row.batches).member("documents", row.documents).member("revoked", row.revoked);
  // Of the certificate in force: who made its key, and when it is over.
  json.member("key_origin", row.key_origin.empty() ? std::optional<std::string>() : row.key_origin);
  json.member("certificate_until", time_of(row.certificate_until_unix_ns)).member("late_renewals", row.late_renewals);
  json.key("health");
  write_health(json, row);
  json.key("config");
  if (status != nullptr) {
    write_json(json, *status);
  } else {
    json.value(nullptr);
  }
  json.end_object();
}

}  // namespace

Response serve_collectors(const Call& call) {
  const auto rows = call.services.store.collectors();
  if (!rows) return problem("list collectors", rows.error());
  const auto statuses = call.services.store.config_statuses();
  if (!statuses) return problem("list what collectors say of their configuration", statuses.error());
  JsonWriter json;
  json.begin_object().key("collectors").begin_array();
  for (const store::CollectorRow& row : rows.value()) {
    const auto status = statuses.value().find(row.id);
    write(json, row, status == statuses.value().end() ? nullptr : &status->second);
  }
  json.end_array().end_object();
  return Response::json(200, std::string(json.text()));
}

Response serve_collector(const Call& call) {
  const auto row = call.services.store.collector(call.id);
  if (!row) return problem("look up a collector", row.error());
  const auto status = call.services.store.config_status(call.id);
  if (!status) return problem("read what a collector says of its configuration", status.error());
  JsonWriter json;
  write(json, row.value(), status.value() ? &*status.value() : nullptr);
  return Response::json(200, std::string(json.text()));
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
