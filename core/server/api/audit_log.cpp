// GET /api/v1/audit: who did what, newest first, page by page.
#include "core/server/api/audit_log.h"

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/api/parameter_text.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr std::uint32_t kPage = 100, kPageMax = 1'000;

Expected<store::AuditQuery> read(const http::Request& request) {
  PGA_CHECK(check_parameters(request, {"actor", "action", "subject", "from", "to", "limit", "cursor"}));
  store::AuditQuery query;
  query.filter.actor = word_of(request, "actor");
  query.filter.action = word_of(request, "action");
  query.filter.subject = word_of(request, "subject");
  PGA_TRY(query.filter.from_unix_ns, read_time(request, "from"));
  PGA_TRY(query.filter.to_unix_ns, read_time(request, "to"));
  if (query.filter.from_unix_ns && query.filter.to_unix_ns && *query.filter.from_unix_ns > *query.filter.to_unix_ns)
    return refused("from", "is later than \"to\"");
  PGA_TRY(query.limit, read_limit(request, kPage, kPageMax));
  query.cursor = word_of(request, "cursor");
  return query;
}

}  // namespace

void write_json(JsonWriter& json, const store::AuditRow& row) {
  json.begin_object().member("id", row.id).member("at", clock::format_rfc3339(row.at_unix_us * 1'000));
  json.member("actor", row.actor).member("action", row.action).member("subject", row.subject).member("address", row.address);
  json.key("detail").json(row.detail_json).member("hash", row.hash).end_object();
}

Response serve_audit(const Call& call) {
  const auto query = read(call.request);
  if (!query) return bad_request("bad_parameter", query.error().message);
  const auto page = call.services.store.audit_page(query.value());
  if (!page && page.error().status == PGA_E_CONFIG) return bad_request("bad_parameter", "cursor: is not from this list");
  if (!page) return costly_or(page.error(), "read the audit log");
  JsonWriter json;
  json.begin_object().key("entries").begin_array();
  for (const store::AuditRow& row : page.value().rows) write_json(json, row);
  json.end_array();
  if (!page.value().next_cursor.empty()) json.member("next_cursor", page.value().next_cursor);
  json.end_object();
  return Response::json(200, std::string(json.text()));
}

}  // namespace pganalytics::server::api
