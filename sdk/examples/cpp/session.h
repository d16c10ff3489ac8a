// One connection to PostgreSQL whose every wait is bounded by the run: by its cancel, its deadline, or a limit of our own.
//
// Here: connect, one query, cancel. Not here: SQL. What it cannot bound is the resolution of a host name, which libpq leaves to
// the C library: prefer addresses or sockets. Used inside collect(); keep it between runs.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <pganalytics/plugin.hpp>
#include <string>

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

class Session {
 public:
  // PGA_E_CONFIG if `conninfo` is no connection string. No I/O.
  static pganalytics::Outcome check(const std::string& conninfo);

  // PGA_E_TRANSIENT: nobody answers, or not in time. PGA_E_DEADLINE: the run was cancelled.
  static pganalytics::Expected<Session> open(const std::string& conninfo, std::chrono::milliseconds connect_timeout,
                                             const pganalytics::Run& run);

  // The rows of one statement. After an error the connection is closed, its statement cancelled; open another.
  pganalytics::Expected<Result> query(const char* sql, const pganalytics::Run& run);

  [[nodiscard]] bool usable() const { return connection_ != nullptr; }
  [[nodiscard]] int server_version() const { return PQserverVersion(connection_.get()); }

 private:
  explicit Session(PGconn* connection) : connection_(connection, &PQfinish) {}
  pganalytics::Expected<Result> exchange(const std::string& sql, const pganalytics::Run& run);
  pganalytics::Error failure(const char* doing, const PGresult* result) const;
  void abandon();

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};
