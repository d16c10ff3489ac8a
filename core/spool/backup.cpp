#include "core/spool/backup.h"

#include "core/spool/record.h"
#include "core/spool/spool_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace pganalytics::spool {
namespace {

constexpr int kPagesAtATime = 128;   // half a MiB between two looks at `stop` ...
constexpr int kStepsAtATime = 1000;  // ... or so many instructions of SQLite's machine

Error failed(const std::string& doing, const std::string& path) {
  return Error{PGA_E_FAIL, "spool.backup", "unable to " + doing + " " + path + ": " + std::strerror(errno),
               "Check the space and the rights of its folder.", 0};
}

Error stopped() { return Error{PGA_E_FAIL, "spool.backup_stopped", "the copy of the spool was stopped", "", 0}; }

// An empty file that nobody else can read; whatever an earlier copy left there is gone.
Outcome make_empty(const std::string& path) {
  ::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return failed("create", path);
  ::close(file);
  return {};
}

Outcome sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("open", path);
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced ? Outcome() : Outcome(failed("sync", path));
}

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
};

// Page by page, as of the moment when the source's read transaction began.
Outcome copy_pages(Database& from, Database& to, const std::atomic<bool>& stop) {
  const std::unique_ptr<sqlite3_backup, FinishBackup> backup(sqlite3_backup_init(to.handle(), "main", from.handle(), "main"));
  if (!backup) return to.error("begin a copy");
  for (;;) {
    if (stop) return stopped();
    const int step = sqlite3_backup_step(backup.get(), kPagesAtATime);
    if (step == SQLITE_DONE) return {};
    if (step != SQLITE_OK)
      return Error{PGA_E_FAIL, "spool.backup", std::string("copying the spool: ") + sqlite3_errstr(step), "", 0};
  }
}

Outcome mark(Database& copy, const std::string& epoch) {
  PGA_TRY(Statement insert, copy.prepare("INSERT OR REPLACE INTO value (key, value, crc) VALUES (?1, ?2, ?3)"));
  return insert.bind(kRestoredValue).bind_blob(epoch).bind(RecordCrc().add(kRestoredValue).add(epoch).value()).done();
}

// It reads the whole copy: SQLite asks now and then whether it is to go on (sqlite.org/c3ref/progress_handler.html).
Expected<std::string> quick_check(Database& copy, const std::atomic<bool>& stop) {
  const auto is_to_end = [](void* wanted) -> int { return *static_cast<const std::atomic<bool>*>(wanted) ? 1 : 0; };
  sqlite3_progress_handler(copy.handle(), kStepsAtATime, is_to_end, const_cast<std::atomic<bool>*>(&stop));
  PGA_TRY(Statement quick, copy.prepare("PRAGMA quick_check(1)"));
  const auto answered = quick.step();
  if (stop) return stopped();
  if (!answered) return answered.error();
  return *answered ? quick.bytes(0) : "no answer";
}

Outcome check(Database& copy, const std::atomic<bool>& stop) {
  PGA_TRY(const std::string verdict, quick_check(copy, stop));
  if (verdict == "ok") return {};
  return Error{PGA_E_FAIL, "spool.backup", "the copy of the spool is not sound: " + verdict,
               "The spool itself may be damaged: restart the collector, which looks at it.", 0};
}

Outcome write_copy(const std::string& dir, const std::string& to, const std::atomic<bool>& stop) {
  PGA_TRY(Database from, Database::open(database_path(dir), SQLITE_OPEN_READONLY));
  PGA_CHECK(check_format(from, from.path()));
  PGA_TRY(Database copy, Database::open(to, SQLITE_OPEN_READWRITE));
  // One read transaction from the first page to the last: the spool goes on, the copy does not see it.
  PGA_CHECK(from.run("BEGIN"));
  PGA_TRY(const auto home, read_home(from));
  PGA_CHECK(copy_pages(from, copy, stop));
  PGA_CHECK(from.run("COMMIT"));
  PGA_CHECK(copy.run("PRAGMA journal_mode = DELETE"));  // one file, without a log beside it
  PGA_CHECK(mark(copy, home ? home->epoch : ""));
  return check(copy, stop);
}

}  // namespace

Outcome back_up(const std::string& dir, const std::string& to, const std::atomic<bool>& stop) {
  if (::access(database_path(dir).c_str(), F_OK) != 0) {
    return Error{PGA_E_NOTFOUND, "spool.none", "there is no spool in " + dir, "", 0};
  }
  const std::string unfinished = to + ".tmp";
  PGA_CHECK(make_empty(unfinished));
  Outcome written = write_copy(dir, unfinished, stop);
  if (written) written = sync(unfinished);
  if (!written) {
    ::unlink(unfinished.c_str());
    return written;
  }
  if (::rename(unfinished.c_str(), to.c_str()) != 0) return failed("rename", unfinished);
  return sync(std::filesystem::path(to).parent_path().string());
}

}  // namespace pganalytics::spool
