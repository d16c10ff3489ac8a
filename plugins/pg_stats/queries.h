// Which SQL for which server: one newest-first table per question over the files in queries/.
//
// A file's name ends in the oldest major it is for. All variants of a question have the same columns, NULL where a major does
// not know one, so readers do not ask for versions.
#pragma once

#include <cstddef>

#include "pg_stats_embedded.h"

namespace pganalytics::pg_stats {

struct Query {
  int version_min;  // of the server, as server_version_num
  const char* sql;
};

template <std::size_t N>
constexpr bool is_newest_first(const Query (&variants)[N]) {
  for (std::size_t i = 1; i < N; ++i) {
    if (variants[i - 1].version_min <= variants[i].version_min) return false;
  }
  return true;
}

inline constexpr int kVersionMin = 140000;

inline constexpr Query kServer[] = {{140000, embedded::server_v14_sql}};
inline constexpr Query kDatabases[] = {{180000, embedded::databases_v18_sql}, {140000, embedded::databases_v14_sql}};
inline constexpr Query kDatabaseSizes[] = {{140000, embedded::database_sizes_v14_sql}};
inline constexpr Query kTables[] = {
    {180000, embedded::tables_v18_sql}, {160000, embedded::tables_v16_sql}, {140000, embedded::tables_v14_sql}};
inline constexpr Query kTableSizes[] = {{140000, embedded::table_sizes_v14_sql}};
inline constexpr Query kIndexes[] = {{160000, embedded::indexes_v16_sql}, {140000, embedded::indexes_v14_sql}};
inline constexpr Query kIndexSizes[] = {{140000, embedded::index_sizes_v14_sql}};

static_assert(is_newest_first(kServer) && is_newest_first(kDatabases) && is_newest_first(kDatabaseSizes));
static_assert(is_newest_first(kTables) && is_newest_first(kTableSizes) && is_newest_first(kIndexes) &&
              is_newest_first(kIndexSizes));

// The first that fits. A server older than kVersionMin is refused before anything is picked.
template <std::size_t N>
constexpr const char* pick(const Query (&variants)[N], int server_version) {
  for (const Query& variant : variants) {
    if (server_version >= variant.version_min) return variant.sql;
  }
  return variants[N - 1].sql;
}

}  // namespace pganalytics::pg_stats
