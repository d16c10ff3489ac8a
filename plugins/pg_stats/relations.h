// The tables and indexes of one database, as JSON objects that are ready to be listed.
//
// Counters come from a statement that opens no relation; sizes from a second one that leaves out what ACCESS EXCLUSIVE
// holds or awaits. If that one fails all the same, sizes are null and the reason is told; the counters stand.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "plugins/pg_stats/problem.h"
#include "plugins/pg_stats/session.h"

namespace pganalytics::pg_stats {

struct RelationList {
  std::optional<std::int64_t> total;  // in the database; nullopt: not read
  std::vector<std::string> items;     // JSON objects, largest first
};

struct Relations {
  RelationList tables;
  RelationList indexes;
};

// Fails if the database's catalog cannot be read; `problems` gets what is missing otherwise.
Expected<Relations> read_relations(Session& session, const std::string& database, const Settings& settings, Problems& problems);

}  // namespace pganalytics::pg_stats
