#include "core/server/program/database.h"

#include "core/server/program/service_user.h"

namespace pganalytics::server::program {

Expected<Database> open_database(const Settings& settings, PrivateCluster::Holder holder) {
  Database database;
  store::StoreOptions options;
  options.connections = settings.database_connections;
  options.prepared = settings.database_prepared;
  options.slow_query_ms = settings.slow_query_ms;
  options.document_days = settings.document_days;
  options.conninfo = settings.database_url;
  if (settings.database_url.empty()) {
    PGA_TRY(database.cluster, PrivateCluster::open(settings.data_dir, settings.database_bin_dir, holder));
    options.conninfo = database.cluster->conninfo();
  }
  PGA_TRY(database.store, store::Store::open(options));
  return database;
}

Expected<Workplace> open_workplace(const std::optional<std::string>& config_file, PrivateCluster::Holder holder) {
  Workplace workplace;
  PGA_TRY(workplace.settings, load_settings(config_file));
  // A command's output is its answer; what it does on the way is for those who ask.
  const bool chatty = holder == PrivateCluster::Holder::kServer || workplace.settings.log_level == log::Level::kDebug;
  if (holder == PrivateCluster::Holder::kServer) log::set_format(workplace.settings.log_format);
  log::set_level(chatty ? workplace.settings.log_level : log::Level::kWarn);
  PGA_CHECK(become_service_user(workplace.settings.user, workplace.settings.data_dir));
  PGA_TRY(workplace.database, open_database(workplace.settings, holder));
  return workplace;
}

}  // namespace pganalytics::server::program
