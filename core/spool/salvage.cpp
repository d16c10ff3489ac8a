#include "core/spool/salvage.h"

#include "core/log/log.h"
#include "core/spool/aside.h"
#include "core/spool/file_bytes.h"
#include "core/spool/spool_check.h"
#include "core/spool/spool_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pganalytics::spool {
namespace {

// The new file while it is made, and when it is whole; a crash leaves either, and the next start goes on from there.
std::string building_path(const std::string& dir) { return database_path(dir) + ".building"; }
std::string whole_path(const std::string& dir) { return database_path(dir) + ".salvaged"; }

Error failed(const std::string& doing, const std::string& path) {
  return Error{PGA_E_FAIL, "spool.salvage", "unable to " + doing + " " + path + ": " + std::strerror(errno),
               "Check the disk and the owner and mode of the folder.", 0};
}

Outcome sync(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const Error error = failed("sync", path);
  if (fd >= 0) ::close(fd);
  return synced ? Outcome() : Outcome(error);
}

void remove_building(const std::string& dir) {
  for (const char* const suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((building_path(dir) + suffix).c_str());
}

// The damaged file makes room for the whole one. Every step may be the last before a crash: none is undone by doing it again, and
// the old log is never left beside the new database, which it would be replayed into.
Expected<std::string> put_in_place(const std::string& dir, std::int64_t unix_ns) {
  PGA_TRY(const std::string aside, move_aside(dir, unix_ns));
  PGA_CHECK(sync(dir, O_RDONLY | O_DIRECTORY));
  if (std::rename(whole_path(dir).c_str(), database_path(dir).c_str()) != 0) return failed("put in place", whole_path(dir));
  PGA_CHECK(sync(dir, O_RDONLY | O_DIRECTORY));
  return aside;
}

Outcome finish_interrupted(const std::string& dir, std::int64_t unix_ns) {
  remove_building(dir);
  if (::access(whole_path(dir).c_str(), F_OK) != 0) return {};
  PGA_TRY(const std::string aside, put_in_place(dir, unix_ns));
  log::warn("a salvage that was interrupted is finished; the damaged spool is kept as " + aside);
  return {};
}

Expected<Salvaged> salvage(const std::string& dir, const std::optional<Testimony>& said, const std::string& collector_id,
                           std::int64_t unix_ns) {
  remove_building(dir);
  PGA_TRY(Salvaged salvaged, rebuild(database_path(dir), building_path(dir), said, collector_id, unix_ns));
  PGA_CHECK(sync(building_path(dir), O_RDONLY));
  if (std::rename(building_path(dir).c_str(), whole_path(dir).c_str()) != 0) return failed("name", building_path(dir));
  PGA_TRY(salvaged.aside, put_in_place(dir, unix_ns));
  return salvaged;
}

void tell(const std::string& dir, const std::string& why, const Salvaged& salvaged) {
  log::error("the spool " + database_path(dir) + " was damaged (" + why + "): " + std::to_string(salvaged.batches) +
             " batches with " + std::to_string(salvaged.documents) + " documents wait on, " +
             std::to_string(salvaged.lost_documents) + " documents are lost and counted" +
             (salvaged.aside.empty() ? "" : "; the damaged file is kept as " + salvaged.aside));
  for (const std::string& plugin : salvaged.fresh_plugins) {
    log::error("the state of plugin " + plugin + " was in the damaged part of the spool: it begins as new");
  }
}

// Reading it takes more than a moment: whoever waits for the start is told why.
constexpr std::uint64_t kLargeBytes = 256 << 20;
std::uint64_t bytes_in(const std::string& dir) {
  return FileBytes(database_path(dir)).data_bytes() + FileBytes(database_path(dir) + "-wal").data_bytes();
}
std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Expected<Database> open_checked(const std::string& dir, const std::optional<Testimony>& said) {
  if (const std::uint64_t bytes = bytes_in(dir); bytes > kLargeBytes) {
    log::info("the spool " + database_path(dir) + " of " + mib(bytes) + " is checked");
  }
  PGA_CHECK(check_files(database_path(dir), said));
  PGA_TRY(Database database, open_database(database_path(dir)));
  PGA_CHECK(check_rows(database, said));
  database.checkpoint_on_close(true);
  return database;
}

// What the server may have, whatever became of its mark: no cap takes it. One too many spares a batch until it is sent.
Outcome mark_tried(Database& database, const std::vector<BatchKey>& tried) {
  if (tried.empty()) return {};
  PGA_TRY(Transaction transaction, Transaction::begin(database));
  {
    PGA_TRY(Statement mark,
            database.prepare("INSERT INTO tried (batch) SELECT id FROM batch WHERE epoch = ? AND seq = ? AND part = ?"
                             " ON CONFLICT (batch) DO NOTHING"));
    for (const BatchKey& key : tried) {
      PGA_CHECK(mark.bind(key.epoch).bind(static_cast<std::int64_t>(key.seq)).bind(key.part).done());
    }
  }
  return transaction.commit();
}

}  // namespace

Expected<Opened> open_sound(const std::string& dir, const std::string& collector_id, std::int64_t unix_ns) {
  PGA_CHECK(finish_interrupted(dir, unix_ns));
  prune_aside(dir, unix_ns);
  PGA_TRY(Witness witness, Witness::open(dir));
  std::optional<Salvaged> salvaged;
  auto database = open_checked(dir, witness.said());
  if (!database && database.error().code == "spool.corrupt") {
    const std::string why = database.error().message;
    if (const std::uint64_t bytes = bytes_in(dir); bytes > kLargeBytes) {
      log::warn("the spool " + database_path(dir) + " is damaged (" + why + "): what is sound in its " + mib(bytes) +
                " is looked for");
    }
    PGA_TRY(salvaged, salvage(dir, witness.said(), collector_id, unix_ns));
    prune_aside(dir, unix_ns);
    tell(dir, why, *salvaged);
    database = open_checked(dir, std::nullopt);  // the books are new: the witness has been heard
  }
  if (!database) return std::move(database).error();
  if (witness.said()) PGA_CHECK(mark_tried(database.value(), witness.said()->tried));
  PGA_CHECK(witness.follow(database.value()));
  witness.note(database.value());
  return Opened{std::move(database).value(), std::move(witness), std::move(salvaged)};
}

}  // namespace pganalytics::spool
