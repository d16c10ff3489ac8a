-- Counters and flags of indexes.
-- Scope: database
-- Rows: changed
-- Every: 60s
-- Grants: none
-- Cost: one join over pg_index, one lookup per counter; no relation is opened, so no lock is waited for.
SELECT r.oid::int8 AS oid, -- key int: Of the index.
       n.nspname AS schema, -- label: Schema of the index.
       t.relname AS "table", -- label: Name of its table.
       r.relname AS name, -- label: Name of the index.
       x.indrelid::int8 AS table_oid, -- info int: Of its table.
       x.indisunique AS is_unique, -- info bool: It forbids duplicates.
       x.indisprimary AS is_primary, -- info bool: It is a primary key.
       x.indisvalid AS is_valid, -- gauge bool 1: Queries may use it; false after a CREATE INDEX CONCURRENTLY that failed.
       r.relpages::int8 * 8192 AS estimated_bytes, -- gauge By: relpages, as of the last vacuum or analyze, in pages of 8 KiB. Exact sizes: storage.
       pg_catalog.pg_stat_get_numscans(r.oid) AS scans, -- counter {scan}: Scans.
       pg_catalog.pg_stat_get_tuples_returned(r.oid) AS tuples_read, -- counter {entry}: Entries that scans returned.
       pg_catalog.pg_stat_get_tuples_fetched(r.oid) AS tuples_fetched, -- counter {row}: Live rows that plain scans fetched.
       pg_catalog.pg_stat_get_blocks_fetched(r.oid) - pg_catalog.pg_stat_get_blocks_hit(r.oid) AS blocks_read, -- counter {block}: Blocks not found in shared buffers.
       pg_catalog.pg_stat_get_blocks_hit(r.oid) AS blocks_hit, -- counter {block}: Blocks found there.
       pg_catalog.pg_stat_get_lastscan(r.oid) AS last_scan -- info time [16 pg_stat_get_lastscan()]: When it was last scanned.
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS r ON r.oid = x.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
 WHERE r.relkind = 'i' AND t.relkind IN ('r', 'm') AND r.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
