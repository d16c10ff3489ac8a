// A session that cannot harm a production server: read-only, bounded in time and memory; opened with these settings, asked,
// closed.
//
// They travel in the start-up packet. A connection pooler may refuse that or drop them silently: then each statement runs in a
// READ ONLY transaction of its own with SET LOCAL, which a pooler can neither lose nor hand on to another client. Not here: what
// is asked (plugins/*). One thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/postgres/connection.h"

namespace pganalytics::postgres {

class ReadOnlySession {
 public:
  // What stays the same from session to session of a run.
  struct Profile {
    std::string conninfo;
    std::string password;          // "": none given
    std::string application_name;  // "pganalytics/1.0"
    std::string asker;             // plugin, as comments of our statements name it: "pg_stats"
    std::chrono::milliseconds connect_timeout{};
    std::chrono::milliseconds statement_timeout{};
    std::chrono::milliseconds lock_timeout{};
    std::vector<std::pair<std::string, std::string>> settings;  // of the server, beside ours; values without spaces
    Deadline deadline;
  };

  // `database`: "" for the one that conninfo names. Errors are those of Connection::open().
  static Expected<ReadOnlySession> open(const Profile& profile, const std::string& database);

  // Closes, and waits until the server has let go: the next session of a run is then the only one.
  void close() { connection_.close(deadline_); }

  Expected<Rows> query(const std::string& sql);
  // One statement with $1.. parameters as text; nullopt = NULL.
  Expected<Rows> query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters);
  // A SELECT's rows, one by one, as COPY sends them (copy_line.h). Returns how many.
  Expected<std::int64_t> read(const std::string& select, const std::function<Outcome(std::string_view line)>& on_line);
  // For a session that is kept from run to run.
  void set_deadline(const Deadline& deadline) { deadline_ = deadline; }
  [[nodiscard]] bool still_open() { return connection_.still_open(); }
  [[nodiscard]] bool usable() const { return connection_.usable(); }

  [[nodiscard]] int backend_pid() const { return connection_.backend_pid(); }
  [[nodiscard]] int server_version() const { return connection_.server_version(); }

 private:
  template <class Statement>
  auto in_safety(Statement&& statement) -> decltype(statement());

  ReadOnlySession(Connection connection, const Deadline& deadline) : connection_(std::move(connection)), deadline_(deadline) {}

  Connection connection_;
  Deadline deadline_;
  std::string prologue_;  // not empty: before each statement, behind a pooler
};

}  // namespace pganalytics::postgres
