-- Each database: its counters and its distance to wraparound.
-- Scope: server
-- Rows: of databases
-- Every: 60s
-- Grants: none
-- Cost: one row per database, read from shared statistics.
SELECT d.datname AS name, -- key: Name of the database.
       pg_catalog.pg_get_userbyid(d.datdba) AS owner, -- info: Its owner.
       pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, -- info: Its encoding.
       d.datconnlimit AS connection_limit, -- info int: -1: none.
       s.numbackends AS backends, -- gauge {connection}: Sessions connected to it.
       s.xact_commit AS xact_commit, -- counter {transaction}: Transactions committed.
       s.xact_rollback AS xact_rollback, -- counter {transaction}: Transactions rolled back.
       s.blks_read AS blks_read, -- counter {block}: Misses of shared buffers.
       s.blks_hit AS blks_hit, -- counter {block}: Hits in shared buffers.
       s.tup_returned AS tup_returned, -- counter {row}: Rows that scans returned.
       s.tup_fetched AS tup_fetched, -- counter {row}: Rows that index scans fetched.
       s.tup_inserted AS tup_inserted, -- counter {row}: Rows inserted.
       s.tup_updated AS tup_updated, -- counter {row}: Rows updated.
       s.tup_deleted AS tup_deleted, -- counter {row}: Rows deleted.
       s.conflicts AS conflicts, -- counter {query}: Queries cancelled by recovery (standbys).
       c.confl_tablespace AS conflicts_tablespace, -- counter {query}: ... because a tablespace was dropped.
       c.confl_lock AS conflicts_lock, -- counter {query}: ... because of a lock.
       c.confl_snapshot AS conflicts_snapshot, -- counter {query}: ... because of a snapshot too old.
       c.confl_bufferpin AS conflicts_bufferpin, -- counter {query}: ... because of a pinned buffer.
       c.confl_deadlock AS conflicts_deadlock, -- counter {query}: ... because of a deadlock.
       c.confl_active_logicalslot AS conflicts_logical_slot, -- counter {use} [16 pg_stat_database_conflicts.confl_active_logicalslot]: ... uses of logical slots.
       s.temp_files AS temp_files, -- counter {file}: Temporary files made by queries.
       s.temp_bytes AS temp_bytes, -- counter By: Written to them.
       s.deadlocks AS deadlocks, -- counter {deadlock}: Deadlocks detected.
       s.checksum_failures AS checksum_failures, -- counter {page}: Pages with a wrong checksum; null if checksums are off.
       s.checksum_last_failure AS checksum_last_failure, -- info time: When the last of them was found.
       s.blk_read_time AS blk_read_time_ms, -- counter num ms: Reading data files; 0 without track_io_timing.
       s.blk_write_time AS blk_write_time_ms, -- counter num ms: Writing data files; 0 without track_io_timing.
       s.session_time AS session_time_ms, -- counter num ms: Time spent by sessions.
       s.active_time AS active_time_ms, -- counter num ms: ... executing statements.
       s.idle_in_transaction_time AS idle_in_transaction_time_ms, -- counter num ms: ... idle in a transaction.
       s.sessions AS sessions, -- counter {session}: Sessions begun.
       s.sessions_abandoned AS sessions_abandoned, -- counter {session}: Ended because the client was lost.
       s.sessions_fatal AS sessions_fatal, -- counter {session}: Ended by a fatal error.
       s.sessions_killed AS sessions_killed, -- counter {session}: Ended by an operator.
       s.parallel_workers_to_launch AS parallel_workers_to_launch, -- counter {worker} [18 pg_stat_database.parallel_workers_to_launch]: Parallel workers planned.
       s.parallel_workers_launched AS parallel_workers_launched, -- counter {worker} [18 pg_stat_database.parallel_workers_launched]: Parallel workers launched.
       age(d.datfrozenxid) AS frozen_xid_age, -- gauge {transaction}: Transactions since datfrozenxid.
       mxid_age(d.datminmxid) AS min_mxid_age, -- gauge {multixact}: Multixacts since datminmxid.
       s.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
  LEFT JOIN pg_catalog.pg_stat_database_conflicts AS c ON c.datid = d.oid
 ORDER BY d.datname
