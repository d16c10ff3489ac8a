-- Every database with its pg_stat_database counters and wraparound ages: the members of databases[], once per run.
-- Grants: none. Cost: one row per database, read from shared statistics.
/* pganalytics:pg_stats/databases */
SELECT d.datname AS database_name,
       d.datistemplate AS is_template,
       d.datallowconn AS allows_connections,
       pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS can_connect,
       s.numbackends AS backends,
       s.xact_commit,
       s.xact_rollback,
       s.blks_read,
       s.blks_hit,
       s.tup_returned,
       s.tup_fetched,
       s.tup_inserted,
       s.tup_updated,
       s.tup_deleted,
       s.conflicts,
       s.temp_files,
       s.temp_bytes,
       s.deadlocks,
       s.checksum_failures,
       s.blk_read_time AS blk_read_time_ms,
       s.blk_write_time AS blk_write_time_ms,
       s.session_time AS session_time_ms,
       s.active_time AS active_time_ms,
       s.idle_in_transaction_time AS idle_in_transaction_time_ms,
       s.sessions,
       s.sessions_abandoned,
       s.sessions_fatal,
       s.sessions_killed,
       NULL::pg_catalog.int8 AS parallel_workers_to_launch,
       NULL::pg_catalog.int8 AS parallel_workers_launched,
       pg_catalog.age(d.datfrozenxid) AS frozen_xid_age,
       pg_catalog.mxid_age(d.datminmxid) AS min_mxid_age,
       pg_catalog.to_char(s.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS stats_reset
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 ORDER BY d.datname
