#include "session.h"

#include <algorithm>
#include <cstring>

using namespace pganalytics;
using std::chrono::milliseconds;

namespace {

// Kept of the run's time for cancelling and telling, so that we give up before the host does it for us.
constexpr milliseconds kReserve{300};

milliseconds time_left(const Run& run) { return std::max(run.remaining() - kReserve, milliseconds(0)); }

// libpq ends its complaints with a newline, and may take several lines for them: the first says it.
std::string first_line(const char* text) { return std::string(text, std::strcspn(text, "\n")); }

// The host asks for a status that tells it what to do next. Class 28: who we are; 42501: what we may. 57014: the server ended
// the statement, at our statement_timeout. 57P and 08: it went away.
pga_status status_of(const char* sqlstate) {
  if (sqlstate == nullptr) return PGA_E_TRANSIENT;  // the connection broke: there is nobody to give a code
  if (std::strncmp(sqlstate, "28", 2) == 0 || std::strcmp(sqlstate, "42501") == 0) return PGA_E_DENIED;
  if (std::strcmp(sqlstate, "57014") == 0) return PGA_E_DEADLINE;
  if (std::strncmp(sqlstate, "57P", 3) == 0 || std::strncmp(sqlstate, "08", 2) == 0) return PGA_E_TRANSIENT;
  return PGA_E_FAIL;
}

Error gave_up(const char* doing, Wake wake) {
  if (wake == Wake::kCancelled) return {PGA_E_DEADLINE, "pg.cancelled", std::string(doing) + ": cancelled", "", 0};
  return {PGA_E_TRANSIENT, "pg.no_answer", std::string(doing) + ": no answer in time",
          "Is the server up, and does a firewall drop what we send?", 0};
}

}  // namespace

Outcome Session::check(const std::string& conninfo) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(conninfo.c_str(), &complaint),
                                                                             &PQconninfoFree);
  if (complaint != nullptr) PQfreemem(complaint);  // it may quote a password: not passed on
  if (options) return {};
  return Error{PGA_E_CONFIG, "config.conninfo", "conninfo is no connection string",
               "Write it as in \"host=/var/run/postgresql dbname=postgres\".", 0};
}

Expected<Session> Session::open(const std::string& conninfo, milliseconds connect_timeout, const Run& run) {
  // "dbname" takes a whole connection string; what stands before it are defaults. tcp_user_timeout bounds what we cannot poll:
  // PQcancel() connects by itself.
  const char* const keywords[] = {"application_name", "tcp_user_timeout", "dbname", nullptr};
  const char* const values[] = {"example_connections", "1500", conninfo.c_str(), nullptr};
  Session session(PQconnectStartParams(keywords, values, 1));
  PGconn* const connection = session.connection_.get();
  if (connection == nullptr) return Error{PGA_E_FATAL, "pg.memory", "out of memory", "", 0};
  PQsetNoticeReceiver(
      connection, [](void*, const PGresult*) {}, nullptr);  // standard error is not ours

  const auto end = std::chrono::steady_clock::now() + std::min(connect_timeout, time_left(run));
  auto next = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) {
      const std::string why = first_line(PQerrorMessage(connection));
      return Error{PGA_E_TRANSIENT, "pg.connect", "cannot connect: " + why, "Try the same conninfo with psql on this host.", 0};
    }
    // The socket may be another one each time: libpq goes through hosts and addresses.
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    PGA_TRY(const Wake wake, wait_for(PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, run, left));
    if (wake != Wake::kReady) return gave_up("connecting", wake);
    next = PQconnectPoll(connection);
  }
  return session;
}

Expected<Result> Session::query(const char* sql, const Run& run) {
  // The server ends the statement while we still listen, and the connection stays good.
  const auto timeout_ms = std::max<long long>(time_left(run).count() - kReserve.count(), 1);
  auto rows = exchange("SET statement_timeout = " + std::to_string(timeout_ms), run);
  if (rows) rows = exchange(sql, run);
  if (!rows) abandon();
  return rows;
}

Expected<Result> Session::exchange(const std::string& sql, const Run& run) {
  PGconn* const connection = connection_.get();
  if (PQsendQuery(connection, sql.c_str()) == 0) return failure("sending a statement", nullptr);
  Result last(nullptr, &PQclear);
  for (;;) {
    while (PQisBusy(connection) != 0) {
      PGA_TRY(const Wake wake, wait_for(PQsocket(connection), POLLIN, run, time_left(run)));
      if (wake != Wake::kReady) return gave_up("waiting for the rows", wake);
      if (PQconsumeInput(connection) == 0) return failure("reading the rows", nullptr);
    }
    Result result(PQgetResult(connection), &PQclear);
    if (!result) break;
    last = std::move(result);
  }
  const ExecStatusType status = PQresultStatus(last.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return failure("running a statement", last.get());
  return last;
}

Error Session::failure(const char* doing, const PGresult* result) const {
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const why = sqlstate != nullptr ? PQresultErrorMessage(result) : PQerrorMessage(connection_.get());
  return {status_of(sqlstate), sqlstate != nullptr ? sqlstate : "pg.connection", std::string(doing) + ": " + first_line(why), "",
          0};
}

// Closing the socket does not end what the server is doing for us; PQcancel() asks it to, over a connection of its own.
void Session::abandon() {
  if (PQtransactionStatus(connection_.get()) == PQTRANS_ACTIVE) {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection_.get()), &PQfreeCancel);
    char ignored[256];  // the caller is already reporting why it gave up
    if (cancel) PQcancel(cancel.get(), ignored, sizeof ignored);
  }
  connection_.reset();
}
