#include "core/server/store/scaling.h"

#include "core/log/log.h"
#include "core/server/store/pool.h"
#include "store_embedded.h"

namespace pganalytics::server::store {

Outcome use_extensions(postgres::Connection& connection) {
  PGA_TRY(const postgres::Rows kind, connection.execute(embedded::points_kind_sql, call_deadline()));
  if (kind.text(0, 0) == "convertible") {
    PGA_CHECK(connection.execute(embedded::points_to_hypertable_sql, call_deadline()));
    log::info("points are a hypertable: the database has the extension timescaledb");
  } else if (kind.text(0, 0) == "filled") {
    log::info(
        "the database has the extension timescaledb, but points lie in partitions. HINT: With all servers stopped, `select "
        "pganalytics.points_to_hypertable()` copies them into a hypertable.");
  }
  return {};
}

}  // namespace pganalytics::server::store
