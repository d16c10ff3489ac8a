#include "core/server/program/reload.h"

#include "core/log/log.h"
#include "core/server/program/descriptor_limit.h"

namespace pganalytics::server::program {

std::vector<std::string> changes_for_a_restart(const Settings& now, const Settings& next) {
  std::vector<std::string> changed;
  const auto compare = [&](const char* key, const auto& before, const auto& after) {
    if (!(before == after)) changed.emplace_back(key);
  };
  compare("server.listen", now.listen, next.listen);
  compare("server.data_dir", now.data_dir, next.data_dir);
  compare("server.user", now.user, next.user);
  compare("database.url", now.database_url, next.database_url);
  compare("database.bin_dir", now.database_bin_dir, next.database_bin_dir);
  compare("database.connections", now.database_connections, next.database_connections);
  compare("database.prepared", now.database_prepared, next.database_prepared);
  compare("tls.cert_file", now.certificate_file, next.certificate_file);
  compare("tls.key_file", now.key_file, next.key_file);
  compare("tls.names", now.names, next.names);
  compare("enrolment.server_keys", now.api.server_keys, next.api.server_keys);
  compare("enrolment.certificate_life", now.api.certificate_life_ms, next.api.certificate_life_ms);
  compare("limits.drain", now.drain_ms, next.drain_ms);
  compare("metrics.listen", now.metrics_listen, next.metrics_listen);
  compare("forward", now.forwards, next.forwards);
  return changed;
}

void use_process_settings(const Settings& settings, Traffic& traffic, api::Condition& condition) {
  log::set_level(settings.log_level);
  log::set_format(settings.log_format);
  traffic.log_all(settings.log_requests);
  condition.ingest_lag_max_s = settings.ingest_lag_max_ms / 1'000;
  condition.disk_free_min_bytes = settings.disk_free_min_bytes;
  make_room_for_connections(settings.http.connections);
}

void reload_settings(const std::optional<std::string>& file, const Settings& started, const Reloadable& parts) {
  const auto next = load_settings(file);
  if (!next) return log::write(log::Level::kError, "reading the settings again; those in force stay", next.error());
  parts.api.use(next->api);
  parts.server.use(next->http);
  parts.store.set_slow_query_ms(next->slow_query_ms);
  parts.store.set_document_days(next->document_days);
  parts.upkeep.use(next->roll_ups);
  parts.housekeeping.use_signing_key_life(next->signing_key_life_ms);
  use_process_settings(*next, parts.traffic, parts.condition);
  log::info("the settings were read again and are in force");
  std::string names;
  for (const std::string& key : changes_for_a_restart(started, *next)) names += (names.empty() ? "" : ", ") + key;
  if (!names.empty()) {
    log::write(log::Level::kWarn, "the settings",
               Error{PGA_E_CONFIG, "reload", "changed and not in force before a restart: " + names,
                     "Restart the server (systemctl restart pganalytics-server).", 0});
  }
}

}  // namespace pganalytics::server::program
