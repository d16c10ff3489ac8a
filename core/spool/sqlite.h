// SQLite as RAII values: a connection, prepared statements, a transaction that rolls back unless committed.
//
// Private to core/spool. Not here: SQL (tables.h and the named statements beside their use). One connection is used by one thread
// at a time; its owner holds the mutex.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::spool {

class Statement;

class Database {
 public:
  // flags: SQLITE_OPEN_*. Waits up to two seconds for a lock that another process holds for a moment.
  static Expected<Database> open(const std::string& path, int flags);

  Outcome run(const char* sql);  // statements without parameters or results
  Expected<Statement> prepare(const char* sql);
  // Every page of `source` as that connection sees it (sqlite.org/backup.html). This one must be empty.
  Outcome copy_from(Database& source);
  // Whether closing it copies the log into the database and deletes it. Off until said so: what is damaged must stay as it is.
  void checkpoint_on_close(bool yes);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }
  [[nodiscard]] Error error(const std::string& doing) const;  // the last one, told as `doing`: why

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  explicit Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

// A prepared statement, used again and again: bind in order of the question marks, step, read columns.
// reset() happens by itself at the next bind() and when a step() ends the rows.
class Statement {
 public:
  Statement() = default;  // none; only to be assigned to
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(std::nullptr_t);
  Statement& bind_blob(std::string_view bytes);  // not copied: must live until the last step()

  Expected<bool> step();  // true: a row is there
  Outcome done();         // step until no row is left

  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  [[nodiscard]] std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  [[nodiscard]] std::string bytes(int column) const;  // TEXT or BLOB
  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  void reset();

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const noexcept { sqlite3_finalize(handle); }
  };
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int bound_ = 0;
  int bind_error_ = SQLITE_OK;
};

// Begun by begin(), undone by the destructor unless commit() succeeded.
class Transaction {
 public:
  static Expected<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Outcome commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace pganalytics::spool
