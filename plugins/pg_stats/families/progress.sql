-- Long work under way: vacuum, analyze, create index, cluster, base backup, copy.
-- Scope: server
-- Rows: all
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one pass over the backends for each kind.
SELECT p.pid AS pid, -- key int: Of the backend.
       p.command AS command, -- key: VACUUM, ANALYZE, CREATE INDEX, REINDEX, CLUSTER, BASE BACKUP, COPY FROM...
       p.database AS database, -- label: Where.
       p.relation_oid AS relation_oid, -- info int: Of the table, in that database.
       p.phase AS phase, -- info: What is done at the moment.
       p.unit AS progress_unit, -- info: What the next two count: block, byte, row.
       p.done AS done, -- gauge 1: How much of the phase is done.
       p.total AS total, -- gauge 1: Of how much; null or 0: not known.
       CASE WHEN p.total > 0 THEN round(100.0 * p.done / p.total, 2) END AS done_percent, -- gauge num %: Done of it.
       p.delay_time AS delay_time_ms -- gauge num ms [18 pg_stat_progress_vacuum.delay_time]: Slept because of the cost limits, with track_cost_delay_timing.
  FROM (
    SELECT v.pid, 'VACUUM' AS command, v.datname::text AS database, v.relid::int8 AS relation_oid, v.phase, 'block' AS unit,
           CASE v.phase WHEN 'vacuuming heap' THEN v.heap_blks_vacuumed ELSE v.heap_blks_scanned END AS done, v.heap_blks_total AS total
           , v.delay_time -- if [pg_stat_progress_vacuum.delay_time]
           -- or , NULL::float8
      FROM pg_catalog.pg_stat_progress_vacuum AS v
    UNION ALL
    SELECT a.pid, 'ANALYZE', a.datname::text, a.relid::int8, a.phase, 'block', a.sample_blks_scanned, a.sample_blks_total
           , a.delay_time -- if [pg_stat_progress_analyze.delay_time]
           -- or , NULL::float8
      FROM pg_catalog.pg_stat_progress_analyze AS a
    UNION ALL
    SELECT i.pid, i.command, i.datname::text, i.relid::int8, i.phase, CASE WHEN i.tuples_total > 0 THEN 'row' ELSE 'block' END,
           CASE WHEN i.tuples_total > 0 THEN i.tuples_done ELSE i.blocks_done END,
           CASE WHEN i.tuples_total > 0 THEN i.tuples_total ELSE i.blocks_total END, NULL
      FROM pg_catalog.pg_stat_progress_create_index AS i
    UNION ALL
    SELECT c.pid, c.command, c.datname::text, c.relid::int8, c.phase, 'block', c.heap_blks_scanned, c.heap_blks_total, NULL
      FROM pg_catalog.pg_stat_progress_cluster AS c
    UNION ALL
    SELECT b.pid, 'BASE BACKUP', NULL, NULL, b.phase, 'byte', b.backup_streamed, b.backup_total, NULL
      FROM pg_catalog.pg_stat_progress_basebackup AS b
    UNION ALL
    SELECT y.pid, y.command, y.datname::text, y.relid::int8, NULL, 'byte', y.bytes_processed, y.bytes_total, NULL
      FROM pg_catalog.pg_stat_progress_copy AS y
  ) AS p
 WHERE p.pid NOT IN (SELECT s.pid FROM pg_catalog.pg_stat_activity AS s WHERE s.application_name LIKE 'pganalytics/%')  -- we read by COPY ourselves
