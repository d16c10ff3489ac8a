// The database's schema, brought up to date: numbered SQL files, all or nothing, one server at a time.
#pragma once

#include "core/postgres/connection.h"

#include <pganalytics/expected.hpp>

namespace pganalytics::server::store {

// One transaction under an advisory lock. PGA_E_UNSUPPORTED: the database is newer than this program, or not UTF-8.
Outcome migrate(postgres::Connection& connection);

}  // namespace pganalytics::server::store
