#include "core/spool/spool_check.h"

#include "core/spool/disk_statements.h"
#include "core/spool/file_bytes.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"
#include "core/spool/tables.h"
#include "core/spool/wal.h"

#include <limits>
#include <mutex>

namespace pganalytics::spool {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kHeaderBytes = 100;

bool has_produced(const Testimony& said) {
  for (const auto& epoch : said.epochs) {
    if (epoch.produced > 0) return true;
  }
  return false;
}

// Calls `each` with every row.
template <class Each>
Outcome for_rows(Database& database, const char* sql, Each&& each) {
  PGA_TRY(Statement rows, database.prepare(sql));
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return {};
    PGA_CHECK(each(rows));
  }
}

// The tables as they are declared, one after the other.
Expected<std::string> schema_of(Database& database) {
  std::string schema;
  PGA_CHECK(for_rows(database, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
                     [&](const Statement& row) -> Outcome {
                       for (int i = 0; i < 4; ++i) schema += row.bytes(i) + '\0';
                       return {};
                     }));
  return schema;
}

Expected<std::string> schema_of_tables() {
  PGA_TRY(Database database, Database::open(":memory:", SQLITE_OPEN_READWRITE));
  PGA_CHECK(database.run("PRAGMA auto_vacuum = INCREMENTAL"));
  PGA_CHECK(database.run(kTables));
  return schema_of(database);
}

// Made once, and again after a failure: one that was kept (memory was short) would keep the spool from its file for ever.
Outcome check_schema(Database& database) {
  static std::mutex mutex;
  static std::string expected;  // under mutex
  const std::lock_guard lock(mutex);
  if (expected.empty()) {
    PGA_TRY(expected, schema_of_tables());
  }
  PGA_TRY(const std::string schema, schema_of(database));
  return schema == expected ? Outcome() : Outcome(damaged("the schema"));
}

// A page in use was written once: a header that counts more of them than there is data was damaged, and what SQLite appended from
// now on would lie behind a hole. Of the log only its size is asked, and some pages may lie in neither for a while.
Outcome check_size(Database& database, std::int64_t bytes) {
  constexpr std::int64_t kSlackBytes = 64 << 20;
  PGA_TRY(Statement unused, database.prepare("PRAGMA freelist_count"));
  PGA_CHECK(unused.step());
  const std::int64_t used = bytes - unused.integer(0) * static_cast<std::int64_t>(kPageBytes);
  const std::uint64_t written = FileBytes(database.path()).data_bytes() + FileBytes(database.path() + "-wal").data_bytes();
  const bool sound = used <= static_cast<std::int64_t>(written) + kSlackBytes;
  return sound ? Outcome() : Outcome(damaged("the number of pages"));
}

Outcome check_trees(Database& database) {
  PGA_TRY(Statement pages, database.prepare("PRAGMA page_count"));
  PGA_CHECK(pages.step());
  const std::int64_t bytes = pages.integer(0) * static_cast<std::int64_t>(kPageBytes);
  pages.reset();
  if (bytes > kWholeCheckBytesMax) return check_size(database, bytes);
  PGA_TRY(Statement check, database.prepare("PRAGMA integrity_check(1)"));
  PGA_CHECK(check.step());
  if (check.bytes(0) != "ok") return damaged("the file (" + check.bytes(0) + ")");
  return {};
}

// Documents that wait, by epoch.
Expected<std::map<std::string, std::uint64_t>> check_batches(Database& database) {
  std::map<std::string, std::uint64_t> waiting;
  const std::string sql = std::string("SELECT ") + kBatchColumns + ", length(b.body) FROM batch b ORDER BY b.id";
  std::int64_t before = std::numeric_limits<std::int64_t>::min();
  const Outcome checked = for_rows(database, sql.c_str(), [&](const Statement& row) -> Outcome {
    const BatchRow batch = row_of(row);
    const bool sound = record_crc_of(batch) == row.integer(13) && row.count(14) == batch.bytes && batch.id > before;
    if (!sound) return damaged("a batch's row");
    before = batch.id;
    waiting[batch.key.epoch] += batch.documents;
    return {};
  });
  if (!checked) return checked.error();
  return waiting;
}

// Whether the witness speaks of this very moment: no figure of any epoch has grown since.
Expected<bool> check_epochs(Database& database, std::map<std::string, std::uint64_t> waiting,
                            const std::optional<Testimony>& said) {
  constexpr const char* kSelect = "SELECT epoch, collector_id, last_seq, produced, acknowledged, lost, crc FROM ";
  std::map<std::string, std::int64_t> rows;
  std::size_t known = 0;
  bool current = said.has_value();
  PGA_CHECK(for_rows(database, (std::string(kSelect) + "epoch").c_str(), [&](const Statement& row) -> Outcome {
    const EpochTally epoch{row.bytes(0), row.bytes(1), row.count(2), row.count(3), row.count(4), row.count(5)};
    if (crc_of(epoch) != row.integer(6)) return damaged("the row of an epoch");
    if (epoch.produced != epoch.acknowledged + epoch.lost + waiting[epoch.epoch]) {
      return damaged("what waits of the epoch " + epoch.epoch);
    }
    waiting.erase(epoch.epoch);
    rows[epoch.epoch] = row.integer(6);
    const auto* const testimony = said ? said->find(epoch.epoch) : nullptr;
    current = current && testimony != nullptr && progress_of(epoch) == progress_of(*testimony);
    if (testimony != nullptr) {
      ++known;
      if (progress_of(epoch) < progress_of(*testimony)) return damaged("the epoch " + epoch.epoch + " has gone back: it");
    }
    return {};
  }));
  PGA_CHECK(for_rows(database, (std::string(kSelect) + "epoch_copy").c_str(), [&](const Statement& row) -> Outcome {
    const auto epoch = rows.find(row.bytes(0));
    if (epoch == rows.end() || epoch->second != row.integer(6)) return damaged("the second row of an epoch");
    rows.erase(epoch);
    return {};
  }));
  if (!rows.empty() || !waiting.empty()) return damaged("the table of epochs");
  if (said && known < said->epochs.size() && has_produced(*said)) return damaged("the table of epochs, which lacks one: it");
  return current;
}

Outcome check_others(Database& database) {
  PGA_CHECK(for_rows(database, "SELECT plugin, key, value, crc FROM state", [](const Statement& row) -> Outcome {
    const bool sound = RecordCrc().add(row.bytes(0)).add(row.bytes(1)).add(row.bytes(2)).value() == row.integer(3);
    return sound ? Outcome() : Outcome(damaged("a plugin's state"));
  }));
  PGA_CHECK(for_rows(database, "SELECT key, value, crc FROM value", [](const Statement& row) -> Outcome {
    const bool sound = RecordCrc().add(row.bytes(0)).add(row.bytes(1)).value() == row.integer(2);
    return sound ? Outcome() : Outcome(damaged("a value"));
  }));
  return {};
}

// A row that is gone, or whose messenger is, would never be told. documents_min: that all rows together have.
Outcome check_losses(Database& database, std::uint64_t documents_min) {
  constexpr const char* kSelect =
      "SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, crc,"
      " carrier IS NULL OR carrier IN (SELECT id FROM batch) FROM loss";
  std::uint64_t documents = 0;
  PGA_CHECK(for_rows(database, kSelect, [&](const Statement& row) -> Outcome {
    const Loss loss{row.integer(0), row.bytes(1), row.bytes(2),   row.count(3),
                    row.count(4),   row.count(5), row.integer(6), row.integer(7)};
    if (crc_of(loss) != row.integer(8)) return damaged("a row of the loss ledger");
    if (row.integer(9) == 0) return damaged("the messenger of a row of the loss ledger");
    documents += loss.documents;
    return {};
  }));
  return documents >= documents_min ? Outcome() : Outcome(damaged("the loss ledger"));
}

}  // namespace

Outcome check_files(const std::string& path, const std::optional<Testimony>& said) {
  const FileBytes database(path), log(path + "-wal");
  const Wal wal = read_wal(log);
  if (wal.broken) return damaged("the log of " + path);
  if (database.size() == 0) {
    // A new spool, unless somebody remembers another one.
    const bool new_one = wal.frames.empty() && (!said || !has_produced(*said));
    return new_one ? Outcome() : Outcome(damaged("the empty file " + path));
  }
  std::string header;
  if (!database.read(0, kHeaderBytes, header)) return damaged("the short file " + path);
  const bool sound = header.compare(0, kMagic.size(), kMagic) == 0 && big_endian_16(header.data() + 16) == kPageBytes &&
                     header.compare(24, 4, header, 92, 4) == 0 && header[18] == header[19] &&
                     (header[18] == 1 || header[18] == 2) && header[20] == 0;
  return sound ? Outcome() : Outcome(damaged("the header of " + path));
}

Outcome check_rows(Database& database, const std::optional<Testimony>& said) {
  PGA_CHECK(check_schema(database));
  PGA_TRY(const auto home, read_home(database));
  PGA_CHECK(check_trees(database));
  PGA_TRY(auto waiting, check_batches(database));
  if (!home && (!waiting.empty() || (said && has_produced(*said)))) return damaged("the spool's own row, which is missing: it");
  PGA_TRY(const bool witness_is_current, check_epochs(database, std::move(waiting), said));
  PGA_CHECK(check_others(database));
  return check_losses(database, witness_is_current ? said->ledger_documents : 0);
}

}  // namespace pganalytics::spool
