#include "core/spool/spool_file.h"

#include "core/files/files.h"
#include "core/log/log.h"
#include "core/spool/record.h"
#include "core/spool/tables.h"

#include <sys/stat.h>

#include <cstdio>

namespace pganalytics::spool {
namespace {

// What was deleted is overwritten, so that a damaged file cannot bring it back (salvage.h) and nobody reads it from the disk.
// WAL so that a reader (`status`, `once`) never waits; FULL so that a commit is on the disk when it returns.
constexpr const char* kPragmas =
    "PRAGMA page_size = 4096; PRAGMA secure_delete = ON; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA "
    "synchronous = FULL; PRAGMA journal_size_limit = "
    "16777216;";

Expected<std::int64_t> number_of(Database& database, const char* pragma) {
  PGA_TRY(Statement version, database.prepare(pragma));
  PGA_CHECK(version.step());
  return version.integer(0);
}

Expected<std::int64_t> format_of(Database& database) { return number_of(database, "PRAGMA user_version"); }

Outcome create_tables(Database& database) {
  PGA_TRY(Transaction transaction, Transaction::begin(database));
  PGA_CHECK(database.run(kTables));
  return transaction.commit();
}

}  // namespace

std::string database_path(const std::string& dir) { return dir + "/spool.db"; }

Outcome check_format(Database& database, const std::string& path) {
  PGA_TRY(const std::int64_t format, format_of(database));
  PGA_TRY(const std::int64_t application, number_of(database, "PRAGMA application_id"));
  if (format == kFormat || (format < kFormat && application == 0)) return {};
  if (format >= kFormatEnd || application != application_id_of(format)) return damaged("the format of " + path);
  return Error{PGA_E_UNSUPPORTED, "spool.format",
               "the spool " + path + " has format " + std::to_string(format) + ", this program knows " + std::to_string(kFormat),
               "Run the newer pganalytics that wrote it, or give this one another [collector] state_dir.", 0};
}

Expected<Database> open_database(const std::string& path) {
  PGA_TRY(Database database, Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  PGA_CHECK(database.run(kPragmas));
  PGA_CHECK(check_format(database, path));
  PGA_TRY(const std::int64_t format, format_of(database));
  if (format == 0) PGA_CHECK(create_tables(database));
  if (format == 1) PGA_CHECK(migrate(database));
  return database;
}

std::int64_t crc_of(const Home& home) {
  return RecordCrc().add(home.epoch).add(home.home).add(home.clock_ns).add(home.wall_ns).value();
}

Expected<std::optional<Home>> read_home(Database& database) {
  PGA_TRY(Statement row, database.prepare("SELECT epoch, home, clock_ns, wall_ns, crc FROM spool WHERE id = 1"));
  PGA_TRY(const bool found, row.step());
  if (!found) return std::optional<Home>();
  Home home{row.bytes(0), row.bytes(1), row.integer(2), row.integer(3)};
  if (crc_of(home) != row.integer(4)) return damaged("the spool's own row");
  return std::optional(std::move(home));
}

std::string home_of(const std::string& path) {
  auto machine = files::read("/etc/machine-id", 64);  // machine-id(5); absent in many containers
  std::string home = machine ? std::move(machine).value() : std::string();
  while (!home.empty() && home.back() == '\n') home.pop_back();
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return home;
  return home + " " + std::to_string(file.st_dev) + " " + std::to_string(file.st_ino);
}

}  // namespace pganalytics::spool
