// What a server has of the relations, columns and functions that families ask for: asked once, not assumed from its version.
#pragma once

#include <pganalytics/expected.hpp>
#include <set>
#include <string>

#include "core/postgres/read_only_session.h"

namespace pganalytics::pg_stats {

// Those of `probes` ("relation", "relation.column", "function()") that hold, looked for in pg_catalog, or in the schema of the
// extension `extension`.
Expected<std::set<std::string>> known_probes(postgres::ReadOnlySession& session, const std::set<std::string>& probes,
                                             const std::string& extension);

// The schema of an extension in the session's database, quoted as SQL wants it; nullopt: it is not installed there.
Expected<std::optional<std::string>> extension_schema(postgres::ReadOnlySession& session, const std::string& extension);

}  // namespace pganalytics::pg_stats
