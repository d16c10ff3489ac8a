// A throwaway real PostgreSQL for tests: made by the constructor, stopped and deleted by the destructor.
//
// It runs as a non-root user ("postgres" when the tests run as root), listens on a Unix socket in a temporary folder only,
// lets local connections in without a password, and takes its binaries from $PGANALYTICS_TEST_PG_BIN or the newest
// /usr/lib/postgresql/*/bin; a test of pganalytics_add_postgres_test runs on each major in turn. Failures throw
// std::runtime_error with the end of the server's log. One thread at a time.
// Test programs that use it link pganalytics_postgres_server.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace pganalytics::testing {

class PostgresServer {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;  // of postgresql.conf

  explicit PostgresServer(const Settings& settings = {});
  // Replays what `primary` does, beginning with a copy of it, for which it is stopped and started.
  struct StandbyOf {
    PostgresServer& primary;
  };
  explicit PostgresServer(const StandbyOf& origin);
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  // One that all tests of the program share; it ends with the program.
  static PostgresServer& shared();
  // A new database, and its name.
  [[nodiscard]] std::string new_database() const;

  // "host=... port=... user=postgres dbname=...": the superuser, over the socket.
  [[nodiscard]] std::string conninfo(const std::string& dbname = "postgres", const std::string& user = "postgres") const;
  [[nodiscard]] const std::string& socket_dir() const { return folder_.path(); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string data_dir() const { return cluster_ / "data"; }
  // What the server writes to stderr; with logging_collector = on the file it writes now.
  [[nodiscard]] std::string log_file() const;

  void stop(bool fast = true);  // false: immediate, as in a crash
  void start();
  void reload();
  // Replace pg_hba.conf and reload: "local all all scram-sha-256".
  void set_hba(const std::string& text);

  // Waits until pg_stat_* of the database has all that sessions did; they must all be ended, here and in other databases.
  void settle_statistics(const std::string& dbname) const;

  // Run statements as the superuser; the first value of the last result, "" if there is none or it is NULL.
  [[nodiscard]] std::string value(const std::string& dbname, const std::string& sql) const;
  void sql(const std::string& dbname, const std::string& sql) const { static_cast<void>(value(dbname, sql)); }

 private:
  void make_folders();
  void run_initdb();
  void write_configuration() const;
  void wait_until_ready() const;
  [[nodiscard]] std::string log_tail() const;

  const Settings settings_;
  TemporaryFolder folder_;   // the socket, the log
  TemporaryFolder cluster_;  // the data
  std::string binaries_;     // a folder
  int port_ = 0;
  pid_t postmaster_ = -1;
};

}  // namespace pganalytics::testing
