#include "plugins/pg_stats/server.h"

#include <algorithm>
#include <map>

#include "plugins/pg_stats/queries.h"
#include "plugins/pg_stats/row_members.h"

namespace pganalytics::pg_stats {

namespace {

using postgres::Rows;

// Columns of databases.v*.sql that are for us; the members follow them.
enum DatabaseColumn { kName, kIsTemplate, kAllowsConnections, kCanConnect, kFirstMember };

std::vector<Database> select_databases(const Rows& rows, const Settings& settings) {
  std::vector<Database> selected;
  for (int row = 0; row < rows.size(); ++row) {
    const std::string name(rows.text(row, kName));
    if (rows.boolean(row, kIsTemplate).value_or(false) || !rows.boolean(row, kAllowsConnections).value_or(false)) continue;
    if (!settings.selects(name)) continue;
    selected.push_back({name, rows.boolean(row, kCanConnect).value_or(false), row, std::nullopt});
  }
  return selected;
}

void report_absent(const std::vector<Database>& databases, const Settings& settings, Problems& problems) {
  for (const std::string& name : settings.named_databases()) {
    const bool found = std::any_of(databases.begin(), databases.end(), [&](const Database& d) { return d.name == name; });
    if (found) continue;
    problems.push_back({name, "3D000",
                        "reading database \"" + name + "\": it does not exist, is a template, or allows no connections",
                        "Create it, or take it out of databases."});
  }
}

// A size that fails (a cluster too large for statement_timeout) leaves the counters standing.
void read_sizes(Session& session, std::vector<Database>& databases, Problems& problems) {
  const auto rows = session.query(pick(kDatabaseSizes, session.server_version()));
  if (!rows) {
    problems.push_back(problem_of(std::nullopt, rows.error()));
    return;
  }
  std::map<std::string_view, std::optional<std::int64_t>> sizes;
  for (int row = 0; row < rows->size(); ++row) sizes[rows->text(row, 0)] = rows->int64(row, 1);
  for (Database& database : databases) {
    database.size_bytes = sizes[database.name];
    if (database.size_bytes) continue;
    problems.push_back({database.name, "42501", "reading the size of database \"" + database.name + "\": not permitted",
                        "Grant pg_monitor to the role, or CONNECT on the database."});
  }
}

}  // namespace

void write_counters(JsonWriter& json, const Server& server, const Database& database) {
  write_members(json, server.counters, database.row, kFirstMember);
}

Expected<Server> read_server(Session& session, const Settings& settings, Problems& problems) {
  const int version = session.server_version();
  if (version < kVersionMin) {
    return Error{PGA_E_UNSUPPORTED, "pg.version",
                 "reading statistics of PostgreSQL " + std::to_string(version / 10000) + ": 14 is the oldest supported", "", 0};
  }
  PGA_TRY(const Rows facts, session.query(pick(kServer, version)));
  JsonWriter json;
  json.begin_object();
  write_members(json, facts, 0, 1);
  json.end_object();
  PGA_TRY(Rows counters, session.query(pick(kDatabases, version)));
  std::vector<Database> selected = select_databases(counters, settings);
  Server server{std::string(json.text()), std::string(facts.text(0, 0)), std::move(counters), std::move(selected)};
  report_absent(server.databases, settings, problems);
  read_sizes(session, server.databases, problems);
  return server;
}

}  // namespace pganalytics::pg_stats
