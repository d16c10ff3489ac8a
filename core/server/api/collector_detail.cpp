#include "core/server/api/collector_detail.h"

#include "core/clock/clock.h"
#include "core/schema/json_text.h"
#include "core/server/api/collector_health.h"
#include "core/server/api/config_document.h"
#include "core/server/api/config_status.h"

namespace pganalytics::server::api {
namespace {

using rapidjson::Value;

std::optional<std::string> time_of(std::int64_t unix_ns) {
  if (unix_ns == 0) return std::nullopt;
  return clock::format_rfc3339(unix_ns);
}

// What a collector sends is looked at before it is believed: "" for what is no text.
std::string text_at(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

std::vector<PluginState> plugins_in(const Value& report) {
  std::vector<PluginState> plugins;
  const auto found = report.FindMember("plugins");
  if (found == report.MemberEnd() || !found->value.IsArray()) return plugins;
  for (const Value& plugin : found->value.GetArray()) {
    if (!plugin.IsObject()) continue;
    PluginState state{text_at(plugin, "plugin"), text_at(plugin, "version"), text_at(plugin, "state")};
    if (!state.plugin.empty()) plugins.push_back(std::move(state));
  }
  return plugins;
}

Expected<std::vector<PluginState>> newest_plugins(store::Store& store, const std::string& collector_id) {
  store::MetricsQuery query;
  query.collector_id = collector_id;
  query.type = "collector";
  query.limit = 1;
  PGA_TRY(const store::MetricsPage page, store.metrics(query));
  if (page.documents.empty()) return std::vector<PluginState>{};
  PGA_TRY(const rapidjson::Document report, schema::parse_json(page.documents[0].document));
  return plugins_in(report);
}

Expected<std::int64_t> retention_days_of(const std::string& config) {
  PGA_TRY(const rapidjson::Document document, schema::parse_json(config));
  return document["retention_days"].GetInt64();  // what is stored is whole
}

}  // namespace

Expected<CollectorDetail> read_collector_detail(store::Store& store, const std::string& collector_id) {
  CollectorDetail detail;
  PGA_TRY(detail.row, store.collector(collector_id));
  PGA_TRY(detail.status, store.config_status(collector_id));
  PGA_TRY(const store::ConfigRow config, store.config(collector_id));
  detail.config_version = config.version;
  PGA_TRY(detail.retention_days, retention_days_of(config.version == 0 ? default_config() : config.document));
  PGA_TRY(detail.plugins, newest_plugins(store, collector_id));
  return detail;
}

void write_members(JsonWriter& json, const store::CollectorRow& row, const store::ConfigStatus* status) {
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
}

std::string to_json(const CollectorDetail& detail) {
  JsonWriter json;
  json.begin_object();
  write_members(json, detail.row, detail.status ? &*detail.status : nullptr);
  json.member("config_version", detail.config_version).member("retention_days", detail.retention_days);
  json.key("plugins").begin_array();
  for (const PluginState& plugin : detail.plugins) {
    json.begin_object().member("plugin", plugin.plugin);
    json.member("version", plugin.version.empty() ? std::optional<std::string>() : plugin.version);
    json.member("state", plugin.state).end_object();
  }
  json.end_array().end_object();
  return std::string(json.text());
}

}  // namespace pganalytics::server::api
