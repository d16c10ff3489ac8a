// One read-only session of ours: opened with its safety settings, asked, closed.
//
// The settings travel in the start-up packet. A connection pooler may refuse that or drop them silently: then each
// statement runs in a READ ONLY transaction of its own with SET LOCAL, which a pooler can neither lose nor hand on to
// another client. Not here: what is asked (server.cpp, relations.cpp).
#pragma once

#include <functional>
#include <pganalytics/expected.hpp>
#include <string>

#include "core/postgres/connection.h"
#include "plugins/pg_stats/settings.h"

namespace pganalytics::pg_stats {

class Session {
 public:
  // What stays the same from session to session of a run.
  struct Profile {
    const Settings* settings;
    std::string application_name;
    std::string password;  // "" = none given
    postgres::Deadline deadline;
  };

  // `database`: "" for the one that conninfo names.
  static Expected<Session> open(const Profile& profile, const std::string& database);

  // Closes, and waits until the server has let go: the next session of a run is then the only one.
  void close() { connection_.close(deadline_); }

  Expected<postgres::Rows> query(const std::string& sql);
  // A SELECT's rows, one by one, as COPY sends them (core/postgres/copy_line.h). Returns how many.
  Expected<std::int64_t> read(const std::string& select, const std::function<Outcome(std::string_view line)>& on_line);
  // For a session that is kept from run to run.
  void set_deadline(const postgres::Deadline& deadline) { deadline_ = deadline; }
  [[nodiscard]] bool still_open() { return connection_.still_open(); }
  [[nodiscard]] bool usable() const { return connection_.usable(); }

  [[nodiscard]] int server_version() const { return connection_.server_version(); }

 private:
  template <class Statement>
  auto in_safety(Statement&& statement) -> decltype(statement());

  Session(postgres::Connection connection, const postgres::Deadline& deadline)
      : connection_(std::move(connection)), deadline_(deadline) {}

  postgres::Connection connection_;
  postgres::Deadline deadline_;
  std::string prologue_;  // not empty: before each statement, behind a pooler
};

}  // namespace pganalytics::pg_stats
