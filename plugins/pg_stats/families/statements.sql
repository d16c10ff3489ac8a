-- Statements of all databases, as pg_stat_statements counts them, but for those of the role that we read as, unless it is a superuser. Their texts: statement_texts.
-- Scope: server
-- Rows: changed
-- Every: 60s
-- Extension: pg_stat_statements
-- Role: pg_read_all_stats
-- Grants: CREATE EXTENSION pg_stat_statements in a database that is read, USAGE on its schema to the role, and shared_preload_libraries = 'pg_stat_statements'; GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one pass over the statements, without their texts.
SELECT s.dbid::int8 AS database_oid, -- key int: Of the database.
       s.userid::int8 AS user_oid, -- key int: Of the role that ran it.
       s.queryid::text AS query_id, -- key: Hash of the statement; a text, since it identifies.
       s.toplevel AS toplevel, -- key bool [14 pg_stat_statements.toplevel]: It was not run by a function.
       d.datname AS database, -- label: Name of the database.
       pg_catalog.pg_get_userbyid(s.userid) AS "user", -- label: Name of the role.
       s.plans AS plans, -- counter {plan} [13 pg_stat_statements.plans]: How often it was planned, with track_planning.
       s.total_plan_time AS plan_time_ms, -- counter num ms [13 pg_stat_statements.total_plan_time]: Planning.
       s.calls AS calls, -- counter {call}: How often it was run.
       s.total_exec_time AS exec_time_ms, -- counter num ms [13 pg_stat_statements.total_exec_time]: Running.
       -- or s.total_time AS exec_time_ms, [pg_stat_statements.total_time]
       s.rows AS rows, -- counter {row}: Returned or affected.
       s.shared_blks_hit AS shared_blocks_hit, -- counter {block}: Found in shared buffers.
       s.shared_blks_read AS shared_blocks_read, -- counter {block}: Not found there.
       s.shared_blks_dirtied AS shared_blocks_dirtied, -- counter {block}: Made dirty.
       s.shared_blks_written AS shared_blocks_written, -- counter {block}: Written by itself.
       s.local_blks_hit AS local_blocks_hit, -- counter {block}: Of temporary tables: found.
       s.local_blks_read AS local_blocks_read, -- counter {block}: ... read.
       s.local_blks_dirtied AS local_blocks_dirtied, -- counter {block}: ... made dirty.
       s.local_blks_written AS local_blocks_written, -- counter {block}: ... written.
       s.temp_blks_read AS temp_blocks_read, -- counter {block}: Of temporary files: read.
       s.temp_blks_written AS temp_blocks_written, -- counter {block}: ... written.
       s.shared_blk_read_time AS shared_block_read_time_ms, -- counter num ms [17 pg_stat_statements.shared_blk_read_time]: Reading, with track_io_timing; before 17 of all blocks.
       -- or s.blk_read_time AS shared_block_read_time_ms, [pg_stat_statements.blk_read_time]
       s.shared_blk_write_time AS shared_block_write_time_ms, -- counter num ms [17 pg_stat_statements.shared_blk_write_time]: Writing, with track_io_timing; before 17 of all blocks.
       -- or s.blk_write_time AS shared_block_write_time_ms, [pg_stat_statements.blk_write_time]
       s.local_blk_read_time AS local_block_read_time_ms, -- counter num ms [17 pg_stat_statements.local_blk_read_time]: Reading temporary tables.
       s.local_blk_write_time AS local_block_write_time_ms, -- counter num ms [17 pg_stat_statements.local_blk_write_time]: Writing temporary tables.
       s.temp_blk_read_time AS temp_block_read_time_ms, -- counter num ms [15 pg_stat_statements.temp_blk_read_time]: Reading temporary files.
       s.temp_blk_write_time AS temp_block_write_time_ms, -- counter num ms [15 pg_stat_statements.temp_blk_write_time]: Writing temporary files.
       s.wal_records AS wal_records, -- counter {record} [13 pg_stat_statements.wal_records]: WAL records made.
       s.wal_fpi AS wal_full_page_images, -- counter {page} [13 pg_stat_statements.wal_fpi]: Whole pages among them.
       s.wal_bytes::int8 AS wal_bytes, -- counter By [13 pg_stat_statements.wal_bytes]: WAL made.
       s.wal_buffers_full AS wal_buffers_full, -- counter {write} [18 pg_stat_statements.wal_buffers_full]: Writes because the buffers were full.
       s.jit_functions AS jit_functions, -- counter {function} [15 pg_stat_statements.jit_functions]: Compiled.
       s.jit_generation_time AS jit_generation_time_ms, -- counter num ms [15 pg_stat_statements.jit_generation_time]: Generating code.
       s.jit_inlining_time AS jit_inlining_time_ms, -- counter num ms [15 pg_stat_statements.jit_inlining_time]: Inlining.
       s.jit_optimization_time AS jit_optimization_time_ms, -- counter num ms [15 pg_stat_statements.jit_optimization_time]: Optimizing.
       s.jit_emission_time AS jit_emission_time_ms, -- counter num ms [15 pg_stat_statements.jit_emission_time]: Emitting.
       s.jit_deform_time AS jit_deform_time_ms, -- counter num ms [17 pg_stat_statements.jit_deform_time]: Compiling the reading of rows.
       s.parallel_workers_to_launch AS parallel_workers_to_launch, -- counter {worker} [18 pg_stat_statements.parallel_workers_to_launch]: Parallel workers planned.
       s.parallel_workers_launched AS parallel_workers_launched, -- counter {worker} [18 pg_stat_statements.parallel_workers_launched]: Parallel workers launched.
       s.stats_since AS stats_since -- epoch [17 pg_stat_statements.stats_since]: Since when it is counted.
       -- or i.stats_reset AS stats_since [pg_stat_statements_info]
  FROM "public".pg_stat_statements(false) AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
 CROSS JOIN "public".pg_stat_statements_info AS i -- if [pg_stat_statements_info]
 CROSS JOIN (SELECT r.oid, r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user) AS us
 WHERE s.queryid IS NOT NULL AND (s.userid <> us.oid OR us.rolsuper)
