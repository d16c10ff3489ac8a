#include "core/spool/sqlite.h"

namespace pganalytics::spool {
namespace {

constexpr int kBusyTimeoutMs = 2'000;

// What the operator can do about it.
std::string hint_for(int code, const std::string& path) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return "Free space on the disk of " + path + ", or lower [spool] max_bytes.";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return "Check owner and mode of " + path + " and its folder.";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "Move " + path + " away; a new spool is made at the next start.";
    default: return "";
  }
}

const char* code_for(int code) {
  if (code == SQLITE_IOERR_SHORT_READ) return "spool.corrupt";
  switch (code & 0xFF) {
    case SQLITE_FULL: return "spool.full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // Our SQL is right, so it is the schema or a row that is not.
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return "spool.corrupt";
    default: return "spool.sqlite";
  }
}

Error error_of(sqlite3* handle, int code, const std::string& doing, const std::string& path) {
  const int kind = code & 0xFF;
  const bool denied = kind == SQLITE_CANTOPEN || kind == SQLITE_PERM || kind == SQLITE_READONLY || kind == SQLITE_AUTH;
  const char* const why = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  return Error{denied ? PGA_E_DENIED : PGA_E_FAIL, code_for(code), doing + ": " + why, hint_for(code, path), 0};
}

}  // namespace

Expected<Database> Database::open(const std::string& path, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return error_of(handle, code, "unable to open the spool " + path, path);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  database.checkpoint_on_close(false);
  return database;
}

void Database::checkpoint_on_close(bool yes) {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

Error Database::error(const std::string& doing) const {
  return error_of(handle_.get(), sqlite3_errcode(handle_.get()), "spool " + path_ + ": " + doing, path_);
}

Outcome Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error("unable to write");
  return {};
}

Expected<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    return error("unable to prepare a statement");
  }
  return Statement(handle);
}

Outcome Database::copy_from(Database& source) {
  sqlite3_backup* const backup = sqlite3_backup_init(handle_.get(), "main", source.handle_.get(), "main");
  if (backup == nullptr) return error("unable to copy");
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) return error("unable to copy");
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());  // lets go of the caller's bytes
  bound_ = 0;
  bind_error_ = SQLITE_OK;
}

// A bind fails for want of memory, or when a value is larger than SQLite's gigabyte; no test can make either here.
Statement& Statement::bind(std::int64_t value) {
  if (bound_ == 0) reset();
  const int code = sqlite3_bind_int64(handle_.get(), ++bound_, value);
  if (code != SQLITE_OK) bind_error_ = code;  // GCOVR_EXCL_BR_LINE: see above
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  if (bound_ == 0) reset();
  const int code = sqlite3_bind_text64(handle_.get(), ++bound_, text.data() != nullptr ? text.data() : "", text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;  // GCOVR_EXCL_BR_LINE: see above
  return *this;
}

Statement& Statement::bind(std::nullptr_t) {
  if (bound_ == 0) reset();
  const int code = sqlite3_bind_null(handle_.get(), ++bound_);
  if (code != SQLITE_OK) bind_error_ = code;  // GCOVR_EXCL_BR_LINE: see above
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  if (bound_ == 0) reset();
  const int code =
      sqlite3_bind_blob64(handle_.get(), ++bound_, bytes.data() != nullptr ? bytes.data() : "", bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_error_ = code;  // GCOVR_EXCL_BR_LINE: see above
  return *this;
}

Expected<bool> Statement::step() {
  sqlite3* const database = sqlite3_db_handle(handle_.get());
  const char* const path = sqlite3_db_filename(database, "main");
  const auto failed = [&](int code) {
    Error error = error_of(database, code, std::string("spool ") + path + ": unable to run a statement", path);
    reset();
    return error;
  };
  if (bind_error_ != SQLITE_OK) return failed(bind_error_);  // GCOVR_EXCL_BR_LINE: see bind()
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) return failed(code);
  reset();
  return false;
}

Outcome Statement::done() {
  for (;;) {
    PGA_TRY(const bool row, step());
    if (!row) return {};
  }
}

std::string Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

Expected<Transaction> Transaction::begin(Database& database) {
  PGA_CHECK(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // Fails only when SQLite rolled back by itself already: the same end.
  if (database_ != nullptr) [[maybe_unused]]
    const Outcome undone = database_->run("ROLLBACK");
}

Outcome Transaction::commit() {
  PGA_CHECK(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace pganalytics::spool
