// PUT /api/v1/schemas/{sha256}?type=: a collector sends an output schema that its server asked for.
#include "core/server/api/api.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"
#include "core/server/ingest/plugin_id.h"

#include <string>

namespace pganalytics::server::api {

using http::Response;

Response serve_put_schema(const Call& call) {
  const std::string type(call.request.query_value("type").value_or(""));
  if (call.request.query.size() != 1 || !ingest::is_plugin_id(type)) {
    return bad_request("bad_parameter", "type: is to be the id of a plugin, and the only parameter");
  }
  if (!ingest::is_sha256(call.name)) return bad_request("bad_digest", "the path does not end in 64 lower-case hex digits");
  const Outcome added = call.services.schemas.add(ingest::canonical_plugin_id(type), call.name, call.request.body);
  if (added) return Response::json(200, R"({"status":"success"})");
  const Error& error = added.error();
  if (error.code == "other_digest") return bad_request(error.code, error.message);
  if (error.code == "schema_too_large") return Response::body_too_large(ingest::kSchemaBytes);
  if (error.status == PGA_E_LIMIT) return Response::error(422, "too_many_schemas", error.message);
  if (error.status == PGA_E_CONFIG) return Response::error(422, "bad_schema", error.message);
  return problem("keep a schema", error);
}

}  // namespace pganalytics::server::api
