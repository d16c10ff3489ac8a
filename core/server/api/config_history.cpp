// GET /api/v1/config/{id}/history, POST /api/v1/config/{id}/rollback.
#include "core/server/api/config_history.h"

#include <limits>
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/schema/json_text.h"
#include "core/server/api/api.h"
#include "core/server/api/config_answer.h"
#include "core/server/api/config_document.h"
#include "core/server/api/known_plugins.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr auto kVersionMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void write(JsonWriter& json, const store::ConfigVersion& version) {
  json.begin_object().member("version", version.version).member("at", clock::format_rfc3339(version.unix_ns));
  json.member("actor", text_or_null(version.actor)).member("bytes", version.bytes).key("changed");
  if (version.changed) {
    json.begin_array();
    for (const std::string& key : *version.changed) json.value(key);
    json.end_array();
  } else {
    json.value(nullptr);
  }
  json.member("restores", version.restores).end_object();
}

// {"version": N} and nothing else.
Expected<std::uint64_t> read_version(std::string_view body) {
  PGA_TRY(const rapidjson::Document document, schema::parse_json(body));
  const Error wrong{PGA_E_CONFIG, "bad_version", "version: the body is {\"version\": N}, N of 0 or more", "", 0};
  if (!document.IsObject() || document.MemberCount() != 1) return wrong;
  const auto version = document.FindMember("version");
  if (version == document.MemberEnd() || !version->value.IsUint64() || version->value.GetUint64() > kVersionMax) return wrong;
  return version->value.GetUint64();
}

Response refusal_of(const Error& error) {
  if (error.status == PGA_E_CONFIG) return bad_request("bad_config", error.message);
  if (error.code == "store.config_version") return no_such_version(error);
  return problem("roll a configuration back", error);
}

}  // namespace

std::string to_json(const std::vector<store::ConfigVersion>& versions) {
  JsonWriter json;
  json.begin_object().key("versions").begin_array();
  for (const store::ConfigVersion& version : versions) write(json, version);
  json.end_array().end_object();
  return std::string(json.text());
}

Expected<store::ConfigRow> config_of_version(store::Store& store, const std::string& collector_id, std::uint64_t version) {
  if (version == 0) return store::ConfigRow{0, default_config()};
  return store.config_at(collector_id, version);
}

Expected<store::ConfigRow> restore_config(store::Store& store, const std::string& collector_id, std::uint64_t version,
                                          const store::AuditEntry& entry) {
  PGA_TRY(const store::ConfigRow old, config_of_version(store, collector_id, version));
  PGA_TRY(ConfigDocument document, read_config(old.document, plugins_reported_by(store, collector_id)));
  PGA_TRY(const std::uint64_t made, store.put_config(collector_id, document.json, std::nullopt, entry, version));
  return store::ConfigRow{made, std::move(document.json)};
}

Response serve_config_history(const Call& call) {
  store::Store& store = call.services.store;
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  const auto versions = store.config_history(call.id);
  if (!versions) return problem("read the history of a configuration", versions.error());
  return Response::json(200, to_json(versions.value()));
}

Response serve_config_rollback(const Call& call) {
  store::Store& store = call.services.store;
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  const auto version = read_version(call.request.body);
  if (!version) return bad_request("bad_json", version.error().message);
  const store::AuditEntry entry{call.caller.name(), "config.rollback", call.id, call.request.remote_address, "{}"};
  const auto restored = restore_config(store, call.id, version.value(), entry);
  if (!restored) return refusal_of(restored.error());
  return config_answer(restored.value());
}

}  // namespace pganalytics::server::api
