// Whether this server should get work: one word for everybody, the reasons for those who have a key.
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

// When it is over, and a word once that is near: what a monitor should look at.
void write_certificate(JsonWriter& json, const std::atomic<std::int64_t>* until_unix_ns) {
  if (until_unix_ns == nullptr) return;
  const std::int64_t until = until_unix_ns->load();
  const std::int64_t left = until - clock::now_unix_ns();
  json.member("certificate_until", clock::format_rfc3339(until));
  json.member("certificate", left <= 0 ? "expired" : left < kCertificateWarningNs ? "expires soon" : "ok");
}

std::string_view database_word(const Outcome& database) {
  if (database) return "ok";
  return database.error().code == "store.read_only" ? "read_only" : "away";
}

void write_reasons(JsonWriter& json, const Outcome& database, const std::vector<Ailment>& ailments) {
  json.key("reasons").begin_array();
  if (!database) {
    const bool read_only = database.error().code == "store.read_only";
    json.begin_object().member("code", read_only ? "database_read_only" : "database_unavailable");
    json.member("message", read_only ? "the server's database is read-only" : "the server's database cannot be reached now");
    json.end_object();
  }
  for (const Ailment& ailment : ailments) {
    json.begin_object().member("code", ailment.code).member("message", ailment.message).end_object();
  }
  json.end_array();
}

}  // namespace

Response serve_health(const Call& call) {
  if (!call.services.database.feel()) {
    return Response::error(503, "database_unavailable", "the server cannot use its database now");
  }
  if (!call.services.options.condition->ailments().empty()) {
    return Response::error(503, "unhealthy", "the server should get no work now");
  }
  return Response::json(200, R"({"status":"ok"})");
}

Response serve_health_details(const Call& call) {
  const Outcome database = call.services.database.feel();
  const Condition& condition = *call.services.options.condition;
  const auto ailments = condition.ailments();
  const bool well = database && ailments.empty();
  JsonWriter json;
  json.begin_object().member("status", well ? "ok" : "unhealthy").member("version", call.services.options.version);
  json.member("database", database_word(database));
  write_certificate(json, call.services.options.certificate_until_unix_ns);
  json.member("unread_documents", condition.unread.load());
  json.member("oldest_unread_seconds", condition.oldest_unread_s.load());
  json.member("rollup_lag_seconds", condition.rollup_lag_s.load());
  if (const std::int64_t free = condition.disk_free_bytes; free >= 0) json.member("disk_free_bytes", free);
  write_reasons(json, database, ailments);
  json.end_object();
  Response response = Response::json(well ? 200 : 503, std::string(json.text()));
  if (!well) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace pganalytics::server::api
