-- Counters of tables and materialized views.
-- Scope: database
-- Rows: changed
-- Every: 60s
-- Grants: none
-- Cost: one pass over pg_class, one lookup per counter; no relation is opened, so no lock is waited for.
SELECT c.oid::int8 AS oid, -- key int: Of the table.
       n.nspname AS schema, -- label: Schema of the table.
       c.relname AS name, -- label: Name of the table.
       CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind, -- info: table or materialized view.
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::float8 END AS estimated_rows, -- gauge num {row}: reltuples, as of the last vacuum or analyze; absent before the first.
       c.relpages::int8 * 8192 AS estimated_bytes, -- gauge By: relpages, as of the last vacuum or analyze, in pages of 8 KiB. Exact sizes: storage.
       pg_catalog.pg_stat_get_numscans(c.oid) AS seq_scans, -- counter {scan}: Sequential scans. Index scans: indexes.
       pg_catalog.pg_stat_get_tuples_returned(c.oid) AS seq_tuples_read, -- counter {row}: Live rows that they read.
       pg_catalog.pg_stat_get_tuples_fetched(c.oid) AS bitmap_tuples_fetched, -- counter {row}: Live rows that bitmap scans fetched.
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS tuples_inserted, -- counter {row}: Rows inserted.
       pg_catalog.pg_stat_get_tuples_updated(c.oid) AS tuples_updated, -- counter {row}: Rows updated, the two below included.
       pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS tuples_deleted, -- counter {row}: Rows deleted.
       pg_catalog.pg_stat_get_tuples_hot_updated(c.oid) AS tuples_hot_updated, -- counter {row}: Rows updated without a new index entry.
       pg_catalog.pg_stat_get_tuples_newpage_updated(c.oid) AS tuples_newpage_updated, -- counter {row} [16 pg_stat_get_tuples_newpage_updated()]: Rows whose new version went to another page.
       pg_catalog.pg_stat_get_live_tuples(c.oid) AS live_tuples, -- gauge {row}: Live rows, estimated.
       pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead_tuples, -- gauge {row}: Dead rows, estimated.
       pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS modified_since_analyze, -- gauge {row}: Changed since the last analyze.
       pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) AS inserted_since_vacuum, -- gauge {row}: Inserted since the last vacuum.
       pg_catalog.pg_stat_get_vacuum_count(c.oid) AS vacuums, -- counter {run}: Vacuums by hand.
       pg_catalog.pg_stat_get_autovacuum_count(c.oid) AS autovacuums, -- counter {run}: Vacuums by autovacuum.
       pg_catalog.pg_stat_get_analyze_count(c.oid) AS analyzes, -- counter {run}: Analyzes by hand.
       pg_catalog.pg_stat_get_autoanalyze_count(c.oid) AS autoanalyzes, -- counter {run}: Analyzes by autovacuum.
       pg_catalog.pg_stat_get_total_vacuum_time(c.oid) AS vacuum_time_ms, -- counter num ms [18 pg_stat_get_total_vacuum_time()]: In vacuums by hand.
       pg_catalog.pg_stat_get_total_autovacuum_time(c.oid) AS autovacuum_time_ms, -- counter num ms [18 pg_stat_get_total_autovacuum_time()]: In vacuums by autovacuum.
       pg_catalog.pg_stat_get_total_analyze_time(c.oid) AS analyze_time_ms, -- counter num ms [18 pg_stat_get_total_analyze_time()]: In analyzes by hand.
       pg_catalog.pg_stat_get_total_autoanalyze_time(c.oid) AS autoanalyze_time_ms, -- counter num ms [18 pg_stat_get_total_autoanalyze_time()]: In analyzes by autovacuum.
       pg_catalog.pg_stat_get_blocks_fetched(c.oid) - pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blocks_read, -- counter {block}: Blocks of the table not found in shared buffers.
       pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blocks_hit, -- counter {block}: Blocks of the table found there.
       pg_catalog.pg_stat_get_blocks_fetched(nullif(c.reltoastrelid, 0)) - pg_catalog.pg_stat_get_blocks_hit(nullif(c.reltoastrelid, 0)) AS toast_blocks_read, -- counter {block}: Blocks of its TOAST table not found there.
       pg_catalog.pg_stat_get_blocks_hit(nullif(c.reltoastrelid, 0)) AS toast_blocks_hit, -- counter {block}: Blocks of its TOAST table found there.
       pg_catalog.pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum, -- info time: End of the last vacuum by hand.
       pg_catalog.pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum, -- info time: End of the last by autovacuum.
       pg_catalog.pg_stat_get_last_analyze_time(c.oid) AS last_analyze, -- info time: End of the last analyze by hand.
       pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze, -- info time: End of the last by autovacuum.
       pg_catalog.pg_stat_get_lastscan(c.oid) AS last_seq_scan -- info time [16 pg_stat_get_lastscan()]: When it was last scanned.
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
