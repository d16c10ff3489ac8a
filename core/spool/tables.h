// The spool's file on disk, for whoever opens it with the sqlite3 shell.
//
// Private to core/spool. `user_version` is the format: 1. A newer one is refused, because an old program would not keep its
// promises.
#pragma once

namespace pganalytics::spool {

constexpr int kFormat = 1;

constexpr const char* kTables = R"sql(
-- One row per epoch that ever was; the newest id is the one that grows. Documents: produced = acknowledged + lost + those in batch.
CREATE TABLE epoch (
  id           INTEGER PRIMARY KEY,
  epoch        TEXT NOT NULL UNIQUE,      -- 32 hex digits
  collector_id TEXT NOT NULL,             -- whose envelopes these are; '' before registration
  last_seq     INTEGER NOT NULL DEFAULT 0,
  produced     INTEGER NOT NULL DEFAULT 0,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  lost         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Sealed batches of the newest epoch that wait for the server.
CREATE TABLE batch (
  seq            INTEGER PRIMARY KEY,
  plugin         TEXT NOT NULL,
  documents      INTEGER NOT NULL,
  first_unix_ns  INTEGER NOT NULL,
  last_unix_ns   INTEGER NOT NULL,
  sealed_unix_ns INTEGER NOT NULL,
  encoding       TEXT NOT NULL,           -- of body: HTTP's token
  crc32          INTEGER NOT NULL,        -- of body: zlib's CRC-32
  body_bytes     INTEGER NOT NULL,
  body           BLOB NOT NULL            -- last, so that the columns above are read without it
) STRICT;

-- Committed state of each plugin: cursors and what else it keeps.
CREATE TABLE state (
  plugin TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  BLOB NOT NULL,
  PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

-- The loss ledger. carrier: seq of the "collector" batch that reports the row; it is forgotten when that one is acknowledged.
CREATE TABLE loss (
  id            INTEGER PRIMARY KEY,
  reason        TEXT NOT NULL,
  epoch         TEXT NOT NULL,
  first_seq     INTEGER NOT NULL,
  last_seq      INTEGER NOT NULL,
  documents     INTEGER NOT NULL,
  first_unix_ns INTEGER NOT NULL,
  last_unix_ns  INTEGER NOT NULL,
  carrier       INTEGER
) STRICT;

-- Small values of the collector itself.
CREATE TABLE value (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
)sql";

}  // namespace pganalytics::spool
