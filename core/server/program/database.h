// The database behind the server: the operator's, or the private cluster; opened the same way by `run` and by every command.
#pragma once

#include "core/server/program/private_cluster.h"
#include "core/server/program/settings.h"
#include "core/server/store/store.h"

#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

// Members are destroyed in reverse: the store lets go of its connections before the cluster stops.
struct Database {
  std::unique_ptr<PrivateCluster> cluster;  // null: [database] url
  std::unique_ptr<store::Store> store;
};

Expected<Database> open_database(const Settings& settings, PrivateCluster::Holder holder);

// What every command begins with: settings read, log level set, service user become, database open.
struct Workplace {
  Settings settings;
  Database database;
};
Expected<Workplace> open_workplace(const std::optional<std::string>& config_file, PrivateCluster::Holder holder);

}  // namespace pganalytics::server::program
