// What the database's extensions are used for: points in a hypertable of TimescaleDB (migrations/0012_hypertable.sql).
#pragma once

#include "core/postgres/connection.h"

#include <pganalytics/expected.hpp>

namespace pganalytics::server::store {

// Inside the transaction of migrate(). Points that are still partitions become a hypertable if there are none yet; otherwise the
// log says how. Nothing happens without the extension, which is never created here.
Outcome use_extensions(postgres::Connection& connection);

}  // namespace pganalytics::server::store
