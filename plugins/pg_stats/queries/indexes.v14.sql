-- Counters of the (at most 2,000) largest indexes: the members of databases[].indexes[].
-- Grants: none. Cost: one join over pg_index, one lookup per counter; no relation is opened, so no lock is waited for.
/* pganalytics:pg_stats/indexes */
WITH i AS MATERIALIZED (
  SELECT r.oid, n.nspname, t.relname AS table_name, r.relname, x.indisunique, x.indisprimary, x.indisvalid,
         pg_catalog.count(*) OVER () AS total
    FROM pg_catalog.pg_index AS x
    JOIN pg_catalog.pg_class AS r ON r.oid = x.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
   WHERE r.relkind = 'i' AND t.relkind IN ('r', 'm') AND r.relpersistence <> 't'
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   -- Until the first vacuum or analyze relpages says 1, hence the guess of 250 entries to a page.
   ORDER BY GREATEST(r.relpages, pg_catalog.pg_stat_get_live_tuples(t.oid) / 250) DESC, r.oid
   LIMIT 2000
)
SELECT i.oid AS id,
       i.total,
       i.nspname AS schema,
       i.table_name AS "table",
       i.relname AS name,
       pg_catalog.pg_stat_get_numscans(i.oid) AS scans,
       pg_catalog.pg_stat_get_tuples_returned(i.oid) AS tuples_read,
       pg_catalog.pg_stat_get_tuples_fetched(i.oid) AS tuples_returned,
       pg_catalog.pg_stat_get_blocks_fetched(i.oid) - pg_catalog.pg_stat_get_blocks_hit(i.oid) AS blocks_read,
       pg_catalog.pg_stat_get_blocks_hit(i.oid) AS blocks_hit,
       i.indisunique AS is_unique,
       i.indisprimary AS is_primary,
       i.indisvalid AS is_valid,
       NULL::pg_catalog.text AS last_scan
  FROM i
