-- I/O by who does it, on what, and why.
-- Scope: server
-- Rows: changed
-- Every: 60s
-- Grants: none
-- Needs: pg_stat_io
-- Cost: one row per kind, from 16 on.
SELECT i.backend_type AS backend_type, -- key: client backend, checkpointer...
       i.object AS object, -- key: relation, temp relation, wal (from 18 on).
       i.context AS context, -- key: normal, vacuum, bulkread, bulkwrite, init.
       i.reads AS reads, -- counter {operation}: Reads.
       i.read_bytes::int8 AS read_bytes, -- counter By [18 pg_stat_io.read_bytes]: Read; before 18 computed from op_bytes.
       -- or i.reads * i.op_bytes AS read_bytes, [pg_stat_io.op_bytes]
       i.read_time AS read_time_ms, -- counter num ms: Reading; 0 without track_io_timing.
       i.writes AS writes, -- counter {operation}: Writes.
       i.write_bytes::int8 AS write_bytes, -- counter By [18 pg_stat_io.write_bytes]: Written; before 18 computed from op_bytes.
       -- or i.writes * i.op_bytes AS write_bytes, [pg_stat_io.op_bytes]
       i.write_time AS write_time_ms, -- counter num ms: Writing.
       i.writebacks AS writebacks, -- counter {operation}: Pages that the kernel was asked to write.
       i.writeback_time AS writeback_time_ms, -- counter num ms: Asking.
       i.extends AS extends, -- counter {operation}: Extensions of a file.
       i.extend_bytes::int8 AS extend_bytes, -- counter By [18 pg_stat_io.extend_bytes]: By as much; before 18 computed from op_bytes.
       -- or i.extends * i.op_bytes AS extend_bytes, [pg_stat_io.op_bytes]
       i.extend_time AS extend_time_ms, -- counter num ms: Extending.
       i.hits AS hits, -- counter {block}: Blocks found in shared buffers.
       i.evictions AS evictions, -- counter {block}: Blocks thrown out of a buffer.
       i.reuses AS reuses, -- counter {block}: Buffers of a ring used again.
       i.fsyncs AS fsyncs, -- counter {operation}: Syncs.
       i.fsync_time AS fsync_time_ms, -- counter num ms: Syncing.
       i.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_stat_io AS i
