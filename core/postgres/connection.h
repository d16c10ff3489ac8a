// The one libpq wrapper: a connection that cannot leak, results that are typed at one place, and every wait bounded.
//
// Here: connect, query, copy, cancel; deadlines by poll(2) on libpq's socket, never by hoping. Not here: any SQL of ours
// (plugins/*/queries, core/server/store). Used by plugins (inside workers) and by the server. One thread at a time per
// Connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

struct pg_conn;
struct pg_result;

namespace pganalytics::postgres {

// CLOCK_MONOTONIC nanoseconds as in pga_run, and an fd that becomes readable on cancel (-1 = none).
// One made by default has passed already: nothing in this tree waits for ever.
struct Deadline {
  std::int64_t monotonic_ns = 0;
  int cancel_fd = -1;
};

Deadline deadline_in(std::chrono::milliseconds time, int cancel_fd = -1);

// Rows of one result, text format. Values are borrowed from it.
class Rows {
 public:
  explicit Rows(pg_result* result);
  [[nodiscard]] int size() const;
  [[nodiscard]] int columns() const;
  [[nodiscard]] int column(const char* name) const;  // -1: absent
  [[nodiscard]] std::string_view name(int column) const;
  [[nodiscard]] std::uint32_t type(int column) const;  // its OID in pg_type; 0: no such column
  [[nodiscard]] bool is_null(int row, int column) const;
  [[nodiscard]] std::string_view text(int row, int column) const;  // "" if NULL
  // nullopt: NULL, or not a number of that kind.
  [[nodiscard]] std::optional<std::int64_t> int64(int row, int column) const;
  [[nodiscard]] std::optional<double> number(int row, int column) const;
  [[nodiscard]] std::optional<bool> boolean(int row, int column) const;
  [[nodiscard]] std::int64_t affected() const;  // rows of INSERT/UPDATE/DELETE/COPY

 private:
  struct Clear {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

class Connection {
 public:
  // `parameters` override what conninfo says (dbname, application_name, options, connect_timeout...). error.status by SQLSTATE;
  // code "pg.connect", "pg.conninfo" (malformed) or the SQLSTATE; the message never holds a password. Of several hosts
  // each that says nothing within connect_timeout is given up for the next, as libpq's own connecting does. Name resolution is
  // libpq's and blocking: it alone may overrun the deadline.
  static Expected<Connection> open(const std::string& conninfo,
                                   const std::vector<std::pair<std::string, std::string>>& parameters, const Deadline& deadline);

  // When a wait ends by deadline or cancel ("pg.deadline", "pg.cancelled"; PGA_E_DEADLINE), the statement is cancelled on the
  // server, for which up to half a second is granted, and the connection is closed. An error that the server reports
  // leaves it usable, with the SQLSTATE as code.

  // Simple query, several statements allowed; the last result.
  Expected<Rows> execute(const std::string& sql, const Deadline& deadline);
  // One statement with $1.. parameters as text; nullopt = NULL.
  Expected<Rows> query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
                       const Deadline& deadline);
  // As query(), for a statement that this connection will run again: it is parsed and planned once (PostgreSQL docs, PREPARE,
  // "Notes" say when a plan is made for its parameters). `sql` is the key, so it must be one of few constant texts: those beyond
  // kPreparedMost are run as by query(). Not through a pooler that hands sessions from one client to another and keeps no
  // prepared statements.
  Expected<Rows> query_prepared(const std::string& sql, const std::vector<std::optional<std::string>>& parameters,
                                const Deadline& deadline);
  static constexpr std::size_t kPreparedMost = 64;
  // COPY (...) TO STDOUT (text format), the cheapest way to read many rows: each is given to `on_line` as it arrives, without
  // its newline, and nothing is kept; returns how many there were. A row is split by split_copy_line(). An error of `on_line`
  // ends the reading as a cancel does, and is returned.
  Expected<std::int64_t> copy_out(const std::string& sql, const std::function<Outcome(std::string_view line)>& on_line,
                                  const Deadline& deadline);
  // COPY ... FROM STDIN: `data`, one piece after the other, cut anywhere.
  Expected<std::int64_t> copy_in(const std::string& sql, const std::vector<std::string_view>& data, const Deadline& deadline);

  // Closes and waits, up to the deadline, until the server has let go of the session: whoever opens the next connection
  // then never counts as two. The destructor closes without waiting.
  void close(const Deadline& deadline);

  [[nodiscard]] int server_version() const;                // 150004; 0 if not usable
  [[nodiscard]] std::string_view server_encoding() const;  // of the database: "UTF8"; "" if not usable
  [[nodiscard]] int backend_pid() const;  // of the process that serves us; behind a pooler a number of its own; 0 if not usable
  [[nodiscard]] bool usable() const;      // false after a broken connection or a cancelled wait
  [[nodiscard]] bool in_transaction() const;
  // For one that has been kept: false if the server has ended it meanwhile, as far as is known here without asking. Then it is
  // closed. A network that swallows packets is only found out by the next statement.
  bool still_open();

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

 private:
  struct Finish {
    void operator()(pg_conn* connection) const noexcept;
  };
  explicit Connection(pg_conn* connection);
  template <class Conversation>
  Expected<Rows> converse(const std::string& sql, const Deadline& deadline, Conversation&& conversation);
  std::unique_ptr<pg_conn, Finish> connection_;
  std::unordered_map<std::string, std::string> prepared_;  // names of statements, by their text
};

// What a conninfo string itself says about one keyword ("options", "dbname"); nullopt: nothing. Environment and service
// files are not looked at. Malformed: PGA_E_CONFIG, "pg.conninfo".
Expected<std::optional<std::string>> conninfo_value(const std::string& conninfo, std::string_view keyword);

// SQLSTATE -> status of the ABI: exact codes before classes (PostgreSQL docs, appendix A). 57014 is PGA_E_DEADLINE.
pga_status status_of_sqlstate(std::string_view sqlstate);

}  // namespace pganalytics::postgres
