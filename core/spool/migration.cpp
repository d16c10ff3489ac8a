// Format 1 rewritten as format 2: one epoch's batches under bare numbers become rows that tell all about themselves.
#include "core/spool/ledger.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"
#include "core/spool/tables.h"

namespace pganalytics::spool {
namespace {

constexpr const char* kSetAside =
    "ALTER TABLE epoch RENAME TO epoch_1; ALTER TABLE batch RENAME TO batch_1; ALTER TABLE state RENAME TO state_1;"
    "ALTER TABLE loss RENAME TO loss_1; ALTER TABLE value RENAME TO value_1;";
constexpr const char* kDrop =
    "DROP TABLE epoch_1; DROP TABLE batch_1; DROP TABLE state_1; DROP TABLE loss_1; DROP TABLE value_1;";

// Calls `copy` for each row.
template <class Copy>
Outcome each(Database& db, const char* sql, Copy&& copy) {
  PGA_TRY(Statement rows, db.prepare(sql));
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return {};
    PGA_CHECK(copy(rows));
  }
}

Outcome copy_epochs(Database& db, std::string& newest) {
  for (const char* const table : {"epoch", "epoch_copy"}) {
    PGA_TRY(Statement insert, db.prepare((std::string("INSERT INTO ") + table + " VALUES (?, ?, ?, ?, ?, ?, ?)").c_str()));
    const Outcome copied = each(db, "SELECT epoch, collector_id, last_seq, produced, acknowledged, lost FROM epoch_1 ORDER BY id",
                                [&](const Statement& row) -> Outcome {
                                  RecordCrc crc;
                                  crc.add(row.bytes(0)).add(row.bytes(1));
                                  insert.bind(row.bytes(0)).bind(row.bytes(1));
                                  for (int i = 2; i < 6; ++i) {
                                    crc.add(row.integer(i));
                                    insert.bind(row.integer(i));
                                  }
                                  newest = row.bytes(0);
                                  return insert.bind(crc.value()).done();
                                });
    if (!copied) return copied;
  }
  return {};
}

// seq stays the id of its row, because that is what carriers name.
Outcome copy_batches(Database& db, const std::string& epoch) {
  PGA_TRY(Statement insert,
          db.prepare("INSERT INTO batch VALUES (?1, ?1, ?2, ?1, '', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"));
  return each(db,
              "SELECT seq, plugin, documents, first_unix_ns, last_unix_ns, sealed_unix_ns, encoding, crc32, body_bytes, body"
              " FROM batch_1 ORDER BY seq",
              [&](const Statement& row) -> Outcome {
                const BatchRow batch{row.integer(0), row.integer(0), {epoch, row.count(0), ""},
                                     row.bytes(1),   row.bytes(6),   row.count(2),
                                     row.count(8),   row.integer(3), row.integer(4),
                                     row.integer(5), row.integer(7)};
                const std::string body = row.bytes(9);
                return insert.bind(batch.id)
                    .bind(epoch)
                    .bind(batch.plugin)
                    .bind(row.integer(2))
                    .bind(batch.first_unix_ns)
                    .bind(batch.last_unix_ns)
                    .bind(batch.sealed_ns)
                    .bind(batch.encoding)
                    .bind(batch.body_crc)
                    .bind(record_crc_of(batch))
                    .bind(row.integer(8))
                    .bind_blob(body)
                    .done();
              });
}

Outcome copy_losses(Database& db) {
  PGA_TRY(Statement insert, db.prepare("INSERT INTO loss VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  return each(db, "SELECT id, reason, epoch, first_seq, last_seq, documents, first_unix_ns, last_unix_ns, carrier FROM loss_1",
              [&](const Statement& row) -> Outcome {
                RecordCrc crc;
                crc.add(row.bytes(1)).add(row.bytes(2));
                insert.bind(row.integer(0)).bind(row.bytes(1)).bind(row.bytes(2));
                for (int i = 3; i < 8; ++i) {
                  crc.add(row.integer(i));
                  insert.bind(row.integer(i));
                }
                if (row.is_null(8)) {
                  insert.bind(nullptr);
                } else {
                  insert.bind(row.integer(8));
                }
                return insert.bind(crc.value()).done();
              });
}

Outcome copy_state(Database& db) {
  PGA_TRY(Statement state, db.prepare("INSERT INTO state VALUES (?, ?, ?, ?)"));
  PGA_TRY(Statement value, db.prepare("INSERT INTO value VALUES (?, ?, ?)"));
  const Outcome copied = each(db, "SELECT plugin, key, value FROM state_1", [&](const Statement& row) -> Outcome {
    const std::string bytes = row.bytes(2);
    const std::int64_t crc = RecordCrc().add(row.bytes(0)).add(row.bytes(1)).add(bytes).value();
    return state.bind(row.bytes(0)).bind(row.bytes(1)).bind_blob(bytes).bind(crc).done();
  });
  if (!copied) return copied;
  return each(db, "SELECT key, value FROM value_1", [&](const Statement& row) -> Outcome {
    const std::string bytes = row.bytes(1);
    return value.bind(row.bytes(0)).bind_blob(bytes).bind(RecordCrc().add(row.bytes(0)).add(bytes).value()).done();
  });
}

// It is at home where it is found; its clock begins with the time its batches were sealed by.
Outcome settle(Database& db, const std::string& epoch, const std::string& path) {
  const std::int64_t now_ns = clock::now_unix_ns();
  const Home home{epoch, home_of(path), now_ns, now_ns};
  PGA_TRY(Statement insert, db.prepare("INSERT INTO spool VALUES (1, ?, ?, ?, ?, ?)"));
  return insert.bind(home.epoch).bind(home.home).bind(home.clock_ns).bind(home.wall_ns).bind(crc_of(home)).done();
}

}  // namespace

Outcome migrate(Database& database) {
  PGA_TRY(Transaction transaction, Transaction::begin(database));
  PGA_CHECK(database.run(kSetAside));
  PGA_CHECK(database.run(kTables));
  std::string epoch;
  PGA_CHECK(copy_epochs(database, epoch));
  if (!epoch.empty()) {
    PGA_CHECK(copy_batches(database, epoch));
    PGA_CHECK(copy_losses(database));
    PGA_CHECK(settle(database, epoch, database.path()));
  }
  PGA_CHECK(copy_state(database));
  PGA_CHECK(database.run(kDrop));
  return transaction.commit();
}

}  // namespace pganalytics::spool
