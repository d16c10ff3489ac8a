-- Counters of the (at most 2,000) largest tables and materialized views: the members of databases[].tables[].
-- Grants: none. Cost: one scan of pg_class, one lookup per counter; no relation is opened, so no lock is waited for.
/* pganalytics:pg_stats/tables */
WITH c AS MATERIALIZED (
  SELECT r.oid, n.nspname, r.relname, r.relkind, r.reltuples, r.reltoastrelid, r.relfrozenxid, r.relminmxid,
         pg_catalog.count(*) OVER () AS total
    FROM pg_catalog.pg_class AS r
    JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
   WHERE r.relkind IN ('r', 'm') AND r.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   -- Until the first vacuum or analyze relpages says 0, hence the guess of 100 rows to a page.
   ORDER BY GREATEST(r.relpages, pg_catalog.pg_stat_get_live_tuples(r.oid) / 100) DESC, r.oid
   LIMIT 2000
)
SELECT c.oid AS id,
       c.total,
       c.nspname AS schema,
       c.relname AS name,
       CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::pg_catalog.float8 END AS estimated_rows,
       pg_catalog.pg_stat_get_numscans(c.oid) AS seq_scans,
       pg_catalog.pg_stat_get_tuples_returned(c.oid) AS seq_tuples_read,
       i.scans AS index_scans,
       i.fetched + pg_catalog.pg_stat_get_tuples_fetched(c.oid) AS index_tuples_fetched,
       pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS tuples_inserted,
       pg_catalog.pg_stat_get_tuples_updated(c.oid) AS tuples_updated,
       pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS tuples_deleted,
       pg_catalog.pg_stat_get_tuples_hot_updated(c.oid) AS tuples_hot_updated,
       NULL::pg_catalog.int8 AS tuples_newpage_updated,
       pg_catalog.pg_stat_get_live_tuples(c.oid) AS live_tuples,
       pg_catalog.pg_stat_get_dead_tuples(c.oid) AS dead_tuples,
       pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS modified_since_analyze,
       pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) AS inserted_since_vacuum,
       pg_catalog.pg_stat_get_vacuum_count(c.oid) AS vacuums,
       pg_catalog.pg_stat_get_autovacuum_count(c.oid) AS autovacuums,
       pg_catalog.pg_stat_get_analyze_count(c.oid) AS analyzes,
       pg_catalog.pg_stat_get_autoanalyze_count(c.oid) AS autoanalyzes,
       NULL::pg_catalog.float8 AS vacuum_time_ms,
       NULL::pg_catalog.float8 AS autovacuum_time_ms,
       NULL::pg_catalog.float8 AS analyze_time_ms,
       NULL::pg_catalog.float8 AS autoanalyze_time_ms,
       pg_catalog.pg_stat_get_blocks_fetched(c.oid) - pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blocks_read,
       pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blocks_hit,
       i.blocks_fetched - i.blocks_hit AS index_blocks_read,
       i.blocks_hit AS index_blocks_hit,
       pg_catalog.pg_stat_get_blocks_fetched(NULLIF(c.reltoastrelid, 0)) - pg_catalog.pg_stat_get_blocks_hit(NULLIF(c.reltoastrelid, 0)) AS toast_blocks_read,
       pg_catalog.pg_stat_get_blocks_hit(NULLIF(c.reltoastrelid, 0)) AS toast_blocks_hit,
       CASE WHEN c.relfrozenxid <> '0'::pg_catalog.xid THEN pg_catalog.age(c.relfrozenxid) END AS frozen_xid_age,
       CASE WHEN c.relminmxid <> '0'::pg_catalog.xid THEN pg_catalog.mxid_age(c.relminmxid) END AS min_mxid_age,
       pg_catalog.to_char(pg_catalog.pg_stat_get_last_vacuum_time(c.oid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_vacuum,
       pg_catalog.to_char(pg_catalog.pg_stat_get_last_autovacuum_time(c.oid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_autovacuum,
       pg_catalog.to_char(pg_catalog.pg_stat_get_last_analyze_time(c.oid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_analyze,
       pg_catalog.to_char(pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_autoanalyze,
       NULL::pg_catalog.text AS last_seq_scan,
       NULL::pg_catalog.text AS last_index_scan
  FROM c
  LEFT JOIN LATERAL (
    SELECT pg_catalog.sum(pg_catalog.pg_stat_get_numscans(x.indexrelid))::pg_catalog.int8 AS scans,
           pg_catalog.sum(pg_catalog.pg_stat_get_tuples_fetched(x.indexrelid))::pg_catalog.int8 AS fetched,
           pg_catalog.sum(pg_catalog.pg_stat_get_blocks_fetched(x.indexrelid))::pg_catalog.int8 AS blocks_fetched,
           pg_catalog.sum(pg_catalog.pg_stat_get_blocks_hit(x.indexrelid))::pg_catalog.int8 AS blocks_hit
      FROM pg_catalog.pg_index AS x
     WHERE x.indrelid = c.oid
  ) AS i ON true
