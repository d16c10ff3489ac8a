// What one session tells about the whole server: its own facts, and each database's counters and size.
#pragma once

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "plugins/pg_stats/problem.h"
#include "plugins/pg_stats/session.h"

namespace pganalytics::pg_stats {

struct Database {
  std::string name;
  bool can_connect = false;  // the role has CONNECT
  int row = 0;               // in Server::counters
  std::optional<std::int64_t> size_bytes;
};

struct Server {
  std::string json;                 // the document's "server"
  std::string current_database;     // the session's own
  postgres::Rows counters;          // databases.v*.sql
  std::vector<Database> databases;  // those that the settings select, by name
};

// pg_stat_database's counters, as members of an object that is being written.
void write_counters(JsonWriter& json, const Server& server, const Database& database);

// Fails only if the server cannot be read at all; what is missing otherwise is added to `problems`.
Expected<Server> read_server(Session& session, const Settings& settings, Problems& problems);

}  // namespace pganalytics::pg_stats
