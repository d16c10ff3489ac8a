-- Write-ahead log: how much is made.
-- Scope: server
-- Rows: one
-- Every: 60s
-- Grants: none
-- Cost: constant.
SELECT w.wal_records AS records, -- counter {record}: WAL records made.
       w.wal_fpi AS full_page_images, -- counter {page}: Whole pages among them.
       w.wal_bytes::int8 AS bytes, -- counter By: All of it.
       w.wal_buffers_full AS buffers_full, -- counter {write}: Writes because the buffers were full.
       w.wal_write AS writes, -- counter {write} [14 pg_stat_wal.wal_write]: Writes; from 18 on in io.
       w.wal_sync AS syncs, -- counter {sync} [14 pg_stat_wal.wal_sync]: Syncs; from 18 on in io.
       w.wal_write_time AS write_time_ms, -- counter num ms [14 pg_stat_wal.wal_write_time]: Writing; 0 without track_wal_io_timing; from 18 on in io.
       w.wal_sync_time AS sync_time_ms, -- counter num ms [14 pg_stat_wal.wal_sync_time]: Syncing; 0 without track_wal_io_timing; from 18 on in io.
       w.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_stat_wal AS w
