#include "core/server/store/migrate.h"

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/store/pool.h"
#include "core/server/store/scaling.h"
#include "store_embedded.h"

#include <string>

namespace pganalytics::server::store {
namespace {

struct Migration {
  int version;
  const char* name;
  const char* sql;
};

constexpr Migration kMigrations[] = {{1, "initial", embedded::_0001_initial_sql},
                                     {2, "config_status", embedded::_0002_config_status_sql},
                                     {3, "audit_chain", embedded::_0003_audit_chain_sql},
                                     {4, "identity", embedded::_0004_identity_sql},
                                     {5, "parts", embedded::_0005_parts_sql},
                                     {6, "document_partitions", embedded::_0006_document_partitions_sql},
                                     {7, "config_outcomes", embedded::_0007_config_outcomes_sql},
                                     {8, "series", embedded::_0008_series_sql},
                                     {9, "rollups", embedded::_0009_rollups_sql},
                                     {10, "forgotten_points", embedded::_0010_forgotten_points_sql},
                                     {11, "administration", embedded::_0011_administration_sql},
                                     {12, "hypertable", embedded::_0012_hypertable_sql},
                                     {13, "forwarding", embedded::_0013_forwarding_sql}};
constexpr std::int64_t kMigrationNs = 3'600'000'000'000;  // an index over all that was ever pushed takes its time
constexpr char kDaysAhead[] = "7";
constexpr int kNewest = kMigrations[std::size(kMigrations) - 1].version;

postgres::Deadline migration_deadline() { return {clock::now_monotonic_ns() + kMigrationNs, -1}; }

Outcome check(const postgres::Rows& found) {
  const std::int64_t version = found.int64(0, 0).value_or(0);
  if (version > kNewest) {
    return Error{PGA_E_UNSUPPORTED, "store.newer",
                 "the database has schema version " + std::to_string(version) + ", this program knows " + std::to_string(kNewest),
                 "Upgrade pganalytics-server; an older one must not write to this database.", 0};
  }
  if (found.text(0, 1) != "UTF8") {
    return Error{PGA_E_UNSUPPORTED, "store.encoding", "the database has encoding " + std::string(found.text(0, 1)),
                 "Create it with ENCODING 'UTF8' TEMPLATE template0.", 0};
  }
  return {};
}

Outcome apply_missing(postgres::Connection& connection, std::int64_t version) {
  for (const Migration& migration : kMigrations) {
    if (migration.version <= version) continue;
    log::info("database schema: applying " + std::to_string(migration.version) + " (" + migration.name + ")");
    if (auto applied = connection.execute(migration.sql, migration_deadline()); !applied) {
      return std::move(applied).error().while_doing("migration " + std::to_string(migration.version));
    }
    PGA_CHECK(
        connection.query(embedded::migrations_record_sql, {std::to_string(migration.version), migration.name}, call_deadline()));
  }
  return {};
}

}  // namespace

Outcome migrate(postgres::Connection& connection) {
  PGA_CHECK(connection.execute("begin", call_deadline()));
  PGA_CHECK(connection.execute(embedded::migrations_lock_sql, call_deadline()));
  PGA_CHECK(connection.execute(embedded::migrations_table_sql, call_deadline()));
  PGA_TRY(const postgres::Rows found, connection.execute(embedded::migrations_version_sql, call_deadline()));
  PGA_CHECK(check(found));
  PGA_CHECK(connection.execute("set local statement_timeout = 0", call_deadline()));
  PGA_CHECK(apply_missing(connection, found.int64(0, 0).value_or(0)));
  PGA_CHECK(use_extensions(connection));
  // Not only at the first start: a server that was off for a month has none for today.
  PGA_CHECK(connection.query(embedded::partitions_make_sql, {kDaysAhead, std::nullopt}, call_deadline()));
  PGA_CHECK(connection.execute("commit", call_deadline()));
  return {};
}

}  // namespace pganalytics::server::store
