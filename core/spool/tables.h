// The spool's file on disk, for whoever opens it with the sqlite3 shell.
//
// Private to core/spool. `user_version` is the format: 2. An older one is rewritten when it is opened (migration.cpp), a newer
// one is refused, because an old program would not keep its promises.
//
// Every row carries a checksum over its columns (record.h): `crc`, and of a batch `record_crc` beside the one of its body.
#pragma once

#include <cstdint>

namespace pganalytics::spool {

constexpr int kFormat = 2;
// What application_id says beside it, from format 2 to kFormatEnd.
constexpr int kFormatEnd = 256;
constexpr std::int64_t application_id_of(std::int64_t format) { return 0x50470000 | (0x101 * format); }
static_assert(application_id_of(kFormat) == 1346830850);

constexpr const char* kTables = R"sql(
-- One row: the epoch that grows, and where the file is at home.
CREATE TABLE spool (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  epoch    TEXT NOT NULL,
  home     TEXT NOT NULL,                 -- machine, device and inode: elsewhere it is a copy, which needs an epoch of its own
  clock_ns INTEGER NOT NULL,              -- the spool's clock when the row was written ...
  wall_ns  INTEGER NOT NULL,              -- ... and the wall's: the time in between runs passes by the difference
  crc      INTEGER NOT NULL
) STRICT;

-- One row per epoch. Documents: produced = acknowledged + lost + those in batch.
CREATE TABLE epoch (
  epoch        TEXT PRIMARY KEY,          -- 32 hex digits
  collector_id TEXT NOT NULL,             -- whose envelopes these are; '' before registration
  last_seq     INTEGER NOT NULL,
  produced     INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL,
  lost         INTEGER NOT NULL,
  crc          INTEGER NOT NULL
) STRICT;

-- The same rows on other pages: with one of the two, what a damaged file lost can still be counted.
CREATE TABLE epoch_copy (
  epoch        TEXT PRIMARY KEY,
  collector_id TEXT NOT NULL,
  last_seq     INTEGER NOT NULL,
  produced     INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL,
  lost         INTEGER NOT NULL,
  crc          INTEGER NOT NULL
) STRICT;

-- Sealed batches that wait for the server. Each row tells all about itself: it is worth something without the rest of the file.
CREATE TABLE batch (
  id            INTEGER PRIMARY KEY,
  position      INTEGER NOT NULL,         -- order of sealing, through all epochs; both halves have their whole's
  epoch         TEXT NOT NULL,
  seq           INTEGER NOT NULL,
  part          TEXT NOT NULL,            -- '': the whole
  plugin        TEXT NOT NULL,
  documents     INTEGER NOT NULL,
  first_unix_ns INTEGER NOT NULL,
  last_unix_ns  INTEGER NOT NULL,
  sealed_ns     INTEGER NOT NULL,         -- by the spool's clock
  encoding      TEXT NOT NULL,            -- of body: HTTP's token
  crc32         INTEGER NOT NULL,         -- of body: zlib's CRC-32
  record_crc    INTEGER NOT NULL,         -- of all the others but id
  body_bytes    INTEGER NOT NULL,
  body          BLOB NOT NULL             -- last, so that the columns above are read without it
) STRICT;
CREATE UNIQUE INDEX batch_key ON batch (epoch, seq, part);
CREATE INDEX batch_order ON batch (position, part);

-- Batches that were handed out and have not ended: the server may have them. No cap takes them.
CREATE TABLE tried (
  batch INTEGER PRIMARY KEY
) STRICT;

-- Committed state of each plugin: cursors and what else it keeps.
CREATE TABLE state (
  plugin TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  BLOB NOT NULL,
  crc    INTEGER NOT NULL,
  PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

-- The loss ledger. carrier: id of the "collector" batch that reports the row; it is forgotten when that one is acknowledged.
CREATE TABLE loss (
  id            INTEGER PRIMARY KEY,
  reason        TEXT NOT NULL,
  epoch         TEXT NOT NULL,
  first_seq     INTEGER NOT NULL,
  last_seq      INTEGER NOT NULL,
  documents     INTEGER NOT NULL,
  first_unix_ns INTEGER NOT NULL,
  last_unix_ns  INTEGER NOT NULL,
  carrier       INTEGER,
  crc           INTEGER NOT NULL          -- of reason to last_unix_ns
) STRICT;

-- Small values of the collector itself.
CREATE TABLE value (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL,
  crc   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Together they are the format: a flipped bit in one of them is damage, not another program's file.
PRAGMA user_version = 2;
PRAGMA application_id = 1346830850;
)sql";

}  // namespace pganalytics::spool
