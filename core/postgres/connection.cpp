// Connection: opening, closing, cancelling. What is said over it: exchange.cpp; in which words it fails: failure.cpp.
#include "core/postgres/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <future>
#include <system_error>
#include <thread>

#include "core/postgres/exchange.h"
#include "core/postgres/failure.h"
#include "core/postgres/hosts.h"
#include "core/postgres/libpq.h"
#include "core/postgres/wait.h"

namespace pganalytics::postgres {

namespace {

using Options = std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)>;
constexpr auto kCancelPatience = std::chrono::milliseconds(500);

// libpq's complaint may quote a piece of the string, and the piece may be a password: only the harmless kind is passed on.
Error malformed(const char* complaint) {
  std::string reason = "it is neither keyword=value pairs nor a postgresql:// URI";
  if (complaint != nullptr && std::strncmp(complaint, "invalid connection option", 25) == 0) {
    reason = complaint;
    while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  }
  return {PGA_E_CONFIG, "pg.conninfo", "reading conninfo: " + reason,
          "Write it as in \"host=/var/run/postgresql dbname=postgres user=pganalytics\".", 0};
}

Expected<Options> parse_conninfo(const std::string& conninfo) {
  PGA_CHECK(load_libpq());
  char* complaint = nullptr;
  Options options(PQconninfoParse(conninfo.c_str(), &complaint), PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> owned(complaint, PQfreemem);
  if (!options) return malformed(complaint);
  return options;
}

const char* value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (; options->keyword != nullptr; ++options) {
    if (keyword == options->keyword) return options->val;
  }
  return nullptr;
}

// libpq minds connect_timeout only in its blocking calls; here it shortens the deadline.
std::int64_t connect_deadline_ns(PGconn* connection, const Deadline& deadline) {
  const Options options(PQconninfo(connection), PQconninfoFree);
  const char* const text = options ? value_of(options.get(), "connect_timeout") : nullptr;
  int seconds = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), seconds);
  if (seconds <= 0) return deadline.monotonic_ns;
  return std::min(deadline.monotonic_ns, deadline_in(std::chrono::seconds(seconds)).monotonic_ns);
}

Error connect_interrupted(const PGconn* connection, Wake why, bool by_connect_timeout) {
  const std::string what = "connecting to " + target_of(connection);
  if (why == Wake::kFailed) return {PGA_E_FAIL, "pg.poll", what + ": " + std::strerror(errno), "", 0};
  if (why == Wake::kCancelled) return {PGA_E_DEADLINE, "pg.cancelled", what + ": cancelled by the caller", "", 0};
  if (by_connect_timeout) {
    return {PGA_E_TRANSIENT, "pg.connect", what + ": no answer within connect_timeout",
            "Check the network and the server's load.", 0};
  }
  return {PGA_E_DEADLINE, "pg.deadline", what + ": no answer before the deadline", "", 0};
}

Outcome drive_connect(PGconn* connection, const Deadline& deadline) {
  const Deadline limit{connect_deadline_ns(connection, deadline), deadline.cancel_fd};
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return connect_failure(connection);
    // The socket may be another one each time: libpq walks through hosts and addresses.
    const Woken woken = wait_for(PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, limit);
    if (woken.why != Wake::kReady) {
      return connect_interrupted(connection, woken.why, limit.monotonic_ns < deadline.monotonic_ns);
    }
    next = PQconnectPoll(connection);
  }
  return {};
}

// libpq itself goes on to the next host where one refuses, but has no time of its own here in which one must answer.
std::optional<Hosts> hosts_but_the_silent(PGconn* connection, const Error& error) {
  const bool timed_out = error.status == PGA_E_TRANSIENT && PQstatus(connection) != CONNECTION_BAD;
  if (!timed_out) return std::nullopt;
  const Options options(PQconninfo(connection), PQconninfoFree);
  if (!options) return std::nullopt;
  const auto said = [&](const char* keyword) {
    const char* const value = value_of(options.get(), keyword);
    return std::string(value == nullptr ? "" : value);
  };
  return without({said("host"), said("hostaddr"), said("port")}, PQhost(connection), PQport(connection));
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

// As "dbname", a conninfo string is expanded; keywords that come after it override it, and each other, unless they are empty
// (libpq, "Database Connection Control").
PGconn* start(const std::string& conninfo, const Parameters& parameters) {
  std::vector<const char*> keywords{"dbname"};
  std::vector<const char*> values{conninfo.c_str()};
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keywords.data(), values.data(), 1);
}

// PQcancel() blocks in connect(2) for as long as the network likes, so it gets a thread, and the thread gets half a second.
// If that is not enough the thread ends by itself later (it owns all that it touches), and the server's statement_timeout
// ends the statement.
void cancel_on_server(PGconn* connection) {
  const std::shared_ptr<PGcancel> cancel(PQgetCancel(connection), PQfreeCancel);
  if (!cancel) return;
  try {
    std::promise<void> done;
    std::future<void> finished = done.get_future();
    std::thread([cancel, done = std::move(done)]() mutable {
      char ignored[256];  // the caller is already reporting why it gave up
      PQcancel(cancel.get(), ignored, sizeof ignored);
      done.set_value();
    }).detach();
    finished.wait_for(kCancelPatience);
  } catch (const std::system_error&) {  // no thread to be had: closing the connection has to do
  }
}

// NOTICEs ("relation exists, skipping") are no failures, and standard error is not ours to write to.
void ignore_notices(PGconn* connection) {
  PQsetNoticeReceiver(
      connection, [](void*, const PGresult*) {}, nullptr);
}

}  // namespace

void Connection::Finish::operator()(pg_conn* connection) const noexcept {
  PQfinish(connection);
  count_connection(-1);
}

Connection::Connection(pg_conn* connection) : connection_(connection) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Expected<Connection> Connection::open(const std::string& conninfo, const Parameters& parameters, const Deadline& deadline) {
  PGA_CHECK(parse_conninfo(conninfo));
  Parameters narrowed = parameters;
  for (;;) {
    Connection opened(start(conninfo, narrowed));
    PGconn* const connection = opened.connection_.get();
    if (connection == nullptr) return Error{PGA_E_FAIL, "pg.connect", "connecting to PostgreSQL: out of memory", "", 0};
    count_connection(+1);
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    ignore_notices(connection);
    if (PQstatus(connection) == CONNECTION_BAD) return connect_failure(connection);
    if (Outcome driven = drive_connect(connection, deadline); !driven) {
      const auto others = hosts_but_the_silent(connection, driven.error());
      if (!others) return std::move(driven).error();
      narrowed.insert(narrowed.end(), {{"host", others->host}, {"hostaddr", others->hostaddr}, {"port", others->port}});
      continue;
    }
    if (PQsetnonblocking(connection, 1) != 0) return connect_failure(connection);
    return opened;
  }
}

template <class Conversation>
Expected<Rows> Connection::converse(const std::string& sql, const Deadline& deadline, Conversation&& conversation) {
  if (!connection_) {
    return Error{PGA_E_TRANSIENT, "pg.closed", label_of(sql) + ": the connection was closed after an earlier failure", "", 0};
  }
  Exchange exchange(connection_.get(), label_of(sql), deadline);
  Expected<Rows> rows = conversation(exchange);
  if (exchange.interrupted()) cancel_on_server(connection_.get());
  if (exchange.interrupted() || PQstatus(connection_.get()) == CONNECTION_BAD) connection_.reset();
  return rows;
}

Expected<Rows> Connection::execute(const std::string& sql, const Deadline& deadline) {
  return converse(sql, deadline, [&](Exchange& exchange) { return exchange.simple(sql); });
}

Expected<Rows> Connection::query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
                                 const Deadline& deadline) {
  return converse(sql, deadline, [&](Exchange& exchange) { return exchange.parameterised(sql, parameters); });
}

Expected<Rows> Connection::query_prepared(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
                                          const Deadline& deadline) {
  return converse(sql, deadline, [&](Exchange& exchange) -> Expected<Rows> {
    auto known = prepared_.find(sql);
    if (known == prepared_.end()) {
      if (prepared_.size() >= kPreparedMost) return exchange.parameterised(sql, parameters);
      const std::string name = "pganalytics_" + std::to_string(prepared_.size());
      PGA_CHECK(exchange.prepare(name, sql));
      known = prepared_.emplace(sql, name).first;
    }
    return exchange.prepared(known->second, parameters);
  });
}

Expected<std::int64_t> Connection::copy_in(const std::string& sql, const std::vector<std::string_view>& data,
                                           const Deadline& deadline) {
  PGA_TRY(const Rows rows, converse(sql, deadline, [&](Exchange& exchange) { return exchange.copy_in(sql, data); }));
  return rows.affected();
}

Expected<std::int64_t> Connection::copy_out(const std::string& sql, const std::function<Outcome(std::string_view line)>& on_line,
                                            const Deadline& deadline) {
  PGA_TRY(const Rows rows, converse(sql, deadline, [&](Exchange& exchange) { return exchange.copy_out(sql, on_line); }));
  return rows.affected();
}

void Connection::close(const Deadline& deadline) {
  if (!connection_) return;
  // A second descriptor keeps the socket open past PQfinish(), so that the server's end of it can be waited for.
  const int held = fcntl(PQsocket(connection_.get()), F_DUPFD_CLOEXEC, 0);
  connection_.reset();
  if (held < 0) return;
  char rest[256];
  while (wait_for(held, POLLIN, deadline).why == Wake::kReady && read(held, rest, sizeof rest) > 0) continue;
  ::close(held);
}

int Connection::backend_pid() const { return connection_ ? PQbackendPID(connection_.get()) : 0; }

int Connection::server_version() const { return PQserverVersion(connection_.get()); }

std::string_view Connection::server_encoding() const {
  const char* const encoding = PQparameterStatus(connection_.get(), "server_encoding");
  return encoding == nullptr ? "" : encoding;
}

bool Connection::usable() const { return connection_ != nullptr; }

bool Connection::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

// Never waits. A server that ends a session says why, and hangs up some time later: its word is enough.
bool Connection::still_open() {
  if (!connection_) return false;
  PGconn* const connection = connection_.get();
  bool ended = false;
  PQsetNoticeReceiver(  // what comes unasked for, an error too
      connection,
      [](void* is_end, const PGresult* notice) {
        const char* const severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity != nullptr && std::strcmp(severity, "FATAL") == 0) *static_cast<bool*>(is_end) = true;
      },
      &ended);
  const bool readable = PQconsumeInput(connection) != 0 && PQisBusy(connection) == 0 && PQconsumeInput(connection) != 0;
  ignore_notices(connection);
  const bool open = readable && !ended && PQstatus(connection) == CONNECTION_OK;
  if (!open) connection_.reset();
  return open;
}

Expected<std::optional<std::string>> conninfo_value(const std::string& conninfo, std::string_view keyword) {
  PGA_TRY(const Options options, parse_conninfo(conninfo));
  const char* const value = value_of(options.get(), keyword);
  if (value == nullptr) return std::optional<std::string>();
  return std::optional<std::string>(value);
}

}  // namespace pganalytics::postgres
