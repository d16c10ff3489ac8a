// Words for what went wrong: libpq's and the server's answers as Errors of ours.
//
// Internal to core/postgres. A message says what was tried, on which database and server, and why it failed. It never holds
// a password, a statement's text or its parameters; of the server's answer it takes the primary message and the hint, not
// DETAIL, which may quote table rows.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

#include "core/postgres/libpq.h"

namespace pganalytics::postgres {

// 'database "app" on /run/postgresql:5432 as "mon"'
std::string target_of(const PGconn* connection);

// "query pg_stats/tables" by its /* pganalytics:pg_stats/tables */ marker, else "statement INSERT".
std::string label_of(std::string_view sql);

// Why PQconnectPoll() failed. Needs PQERRORS_VERBOSE, the only way libpq tells the SQLSTATE of a refused connection.
Error connect_failure(const PGconn* connection);

// Why the statement `label` failed; `result` may be null (nothing came back).
Error statement_failure(const PGconn* connection, const PGresult* result, const std::string& label);

}  // namespace pganalytics::postgres
