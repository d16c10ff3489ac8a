#include "plugins/pg_stats/server.h"

#include <algorithm>

#include "pg_stats_embedded.h"

namespace pganalytics::pg_stats {
namespace {

constexpr int kVersionMin = 140000;

enum Column { kIdentity, kCurrent, kName, kIsTemplate, kAllowsConnections, kCanConnect, kStatsReset, kLackingRoles };

void report_absent(const std::vector<Database>& databases, const Settings& settings, Problems& problems) {
  for (const std::string& name : settings.named_databases()) {
    const bool found = std::any_of(databases.begin(), databases.end(), [&](const Database& d) { return d.name == name; });
    if (found) continue;
    problems.push_back({name, "", "3D000",
                        "reading database \"" + name + "\": it does not exist, is a template, or allows no connections",
                        "Create it, or take it out of databases."});
  }
}

}  // namespace

Expected<Server> read_server(postgres::ReadOnlySession& session, const Settings& settings, Problems& problems) {
  Server server;
  server.version = session.server_version();
  if (server.version < kVersionMin) {
    return Error{PGA_E_UNSUPPORTED, "pg.version",
                 "reading statistics of PostgreSQL " + std::to_string(server.version / 10000) + ": 14 is the oldest supported",
                 "", 0};
  }
  PGA_TRY(const auto rows, session.query(embedded::databases_sql));
  for (int row = 0; row < rows.size(); ++row) {
    server.identity = rows.text(row, kIdentity);
    server.current_database = rows.text(row, kCurrent);
    server.lacking_roles = rows.text(row, kLackingRoles);
    const std::string name(rows.text(row, kName));
    if (rows.boolean(row, kIsTemplate).value_or(false) || !rows.boolean(row, kAllowsConnections).value_or(false)) continue;
    if (!settings.selects(name)) continue;
    server.databases.push_back({name, rows.boolean(row, kCanConnect).value_or(false), std::string(rows.text(row, kStatsReset))});
  }
  report_absent(server.databases, settings, problems);
  return server;
}

}  // namespace pganalytics::pg_stats
