// Which server this is, and its databases: asked by each run before anything else.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "core/postgres/read_only_session.h"
#include "plugins/pg_stats/problem.h"
#include "plugins/pg_stats/settings.h"

namespace pganalytics::pg_stats {

struct Database {
  std::string name;
  bool can_connect = false;  // the role has CONNECT
  std::string stats_reset;   // since when its counters count, as RFC 3339 has it; "" since ever
};

struct Server {
  int version = 0;                  // server_version_num
  std::string identity;             // another one: nothing that was read before says anything about this one
  std::string current_database;     // the session's own
  std::string lacking_roles;        // predefined roles that ours is no member of, comma separated
  std::vector<Database> databases;  // those that the settings select, by name

  [[nodiscard]] bool lacks(const std::string& role) const { return lacking_roles.find(role) != std::string::npos; }
};

// Fails if the server cannot be read, or is too old. Databases that are named and not there are told in `problems`.
Expected<Server> read_server(postgres::ReadOnlySession& session, const Settings& settings, Problems& problems);

}  // namespace pganalytics::pg_stats
