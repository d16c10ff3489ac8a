// See the header. Pure functions, any thread that owns the connection.
#include "core/postgres/failure.h"

#include <cctype>
#include <memory>

#include "core/postgres/connection.h"

namespace pganalytics::postgres {

namespace {

constexpr std::size_t kSqlstateLength = 5;

std::string or_empty(const char* text) { return text == nullptr ? "" : text; }

std::string quoted(const char* name) { return '"' + or_empty(name) + '"'; }

bool is_sqlstate(std::string_view text) {
  if (text.size() != kSqlstateLength) return false;
  for (const char c : text) {
    if (!std::isdigit(static_cast<unsigned char>(c)) && !(c >= 'A' && c <= 'Z')) return false;
  }
  return true;
}

// Take the last "28P01: " out of libpq's verbose text ("FATAL:  28P01: password ...") whatever language "FATAL" is in.
std::string take_sqlstate(std::string& text) {
  constexpr std::string_view kBefore = ":  ";
  for (std::size_t at = text.rfind(kBefore); at != std::string::npos && at > 0; at = text.rfind(kBefore, at - 1)) {
    const std::size_t start = at + kBefore.size();
    std::string candidate = text.substr(start, kSqlstateLength);
    if (!is_sqlstate(candidate) || text.compare(start + kSqlstateLength, 2, ": ") != 0) continue;
    text.erase(start, kSqlstateLength + 2);
    return candidate;
  }
  return "";
}

// One line, without the source location that verbosity brings along.
std::string tidy(std::string text) {
  if (const std::size_t location = text.find("\nLOCATION:"); location != std::string::npos) text.erase(location);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text;
}

// libpq and the server do not repeat passwords; should one of them ever do so, it ends here.
std::string without_password(std::string text, const PGconn* connection) {
  const std::string password = or_empty(PQpass(connection));
  if (password.empty()) return text;
  for (std::size_t at = text.find(password); at != std::string::npos; at = text.find(password, at))
    text.replace(at, password.size(), "*");
  return text;
}

// Where the server has no hint of its own.
std::string hint_for_statement(std::string_view sqlstate) {
  if (sqlstate == "22021")
    return "A text on the server is not valid in this database's encoding: rename or reset it, or read it through another one.";
  if (sqlstate == "55P03") return "Somebody holds ACCESS EXCLUSIVE on a relation that is read; pg_locks says who.";
  if (sqlstate == "57014") return "It took longer than statement_timeout, or an operator has cancelled it.";
  if (sqlstate == "57P01") return "An operator or a restart has ended the session; another is opened when it is needed.";
  return "";
}

std::string hint_for_connect(const std::string& sqlstate, bool needs_password) {
  if (needs_password) return "Put the password into the .pgpass file of the user that runs this, or let pg_hba.conf use peer.";
  if (sqlstate == "28P01")
    return "Check the password: a secret of the configuration, or .pgpass or the service file of the user that runs this.";
  if (sqlstate == "28000") return "Check that the role may log in and that pg_hba.conf has a line for it.";
  if (sqlstate == "3D000") return "Create the database, or name another one in conninfo.";
  if (sqlstate == "42501") return "Grant CONNECT on the database to the role.";
  if (sqlstate == "53300") return "Raise max_connections or the CONNECTION LIMIT of role or database, or close idle sessions.";
  if (sqlstate.empty()) return "Check that PostgreSQL runs and listens where conninfo says.";
  return hint_for_statement(sqlstate);
}

}  // namespace

std::string target_of(const PGconn* connection) {
  return "database " + quoted(PQdb(connection)) + " on " + or_empty(PQhost(connection)) + ":" + or_empty(PQport(connection)) +
         " as " + quoted(PQuser(connection));
}

std::string label_of(std::string_view sql) {
  constexpr std::string_view kMarker = "/* pganalytics:";
  if (const std::size_t at = sql.find(kMarker); at != std::string_view::npos) {
    const std::string_view name = sql.substr(at + kMarker.size());
    return "query " + std::string(name.substr(0, name.find(' ')));
  }
  return "statement " + std::string(sql.substr(0, sql.find_first_of(" \n\t;")));
}

Error connect_failure(const PGconn* connection) {
  std::string reason = or_empty(PQerrorMessage(connection));
  const std::string sqlstate = take_sqlstate(reason);
  const bool needs_password = PQconnectionNeedsPassword(connection) != 0;
  const pga_status status = needs_password ? PGA_E_DENIED : sqlstate.empty() ? PGA_E_TRANSIENT : status_of_sqlstate(sqlstate);
  return {status, sqlstate.empty() ? "pg.connect" : sqlstate,
          without_password("connecting to " + target_of(connection) + ": " + tidy(std::move(reason)), connection),
          hint_for_connect(sqlstate, needs_password), 0};
}

Error statement_failure(const PGconn* connection, const PGresult* result, const std::string& label) {
  const std::string sqlstate = or_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  const std::string where = label + " on " + target_of(connection) + ": ";
  if (sqlstate.empty()) {  // libpq's own words: as a rule the connection broke
    const bool lost = PQstatus(connection) == CONNECTION_BAD;
    return {lost ? PGA_E_TRANSIENT : PGA_E_FAIL, lost ? "pg.connection_lost" : "pg.protocol",
            without_password(where + tidy(or_empty(PQerrorMessage(connection))), connection),
            lost ? "The server has ended the session: its log says why. Another is opened when it is needed." : "", 0};
  }
  const std::string hint = or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
  return {status_of_sqlstate(sqlstate), sqlstate,
          without_password(where + tidy(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY))), connection),
          hint.empty() ? hint_for_statement(sqlstate) : hint, 0};
}

}  // namespace pganalytics::postgres
