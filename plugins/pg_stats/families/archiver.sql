-- Archiving of WAL.
-- Scope: server
-- Rows: one
-- Every: 60s
-- Grants: none
-- Cost: constant.
SELECT a.archived_count AS archived, -- counter {file}: Files archived.
       a.last_archived_wal AS last_archived_wal, -- info: The newest of them.
       a.last_archived_time AS last_archived_time, -- info time: When.
       a.failed_count AS failed, -- counter {attempt}: Attempts that failed.
       a.last_failed_wal AS last_failed_wal, -- info: Of what file the last one was.
       a.last_failed_time AS last_failed_time, -- info time: When.
       coalesce(a.last_failed_time > a.last_archived_time, a.last_failed_time IS NOT NULL) AS failing, -- gauge bool 1: The last attempt failed.
       extract(epoch FROM clock_timestamp() - a.last_archived_time) AS last_archived_seconds, -- gauge num s: Since the last success.
       pg_catalog.current_setting('archive_mode') AS archive_mode, -- info: off, on, always.
       a.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_stat_archiver AS a
