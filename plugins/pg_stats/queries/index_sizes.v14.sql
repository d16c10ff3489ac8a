-- Bytes on disk of the same indexes as in indexes.v14.sql. One that ACCESS EXCLUSIVE holds or awaits is not opened: NULL.
-- Grants: none. Cost: stat(2) of each file of at most 2,000 indexes. lock_timeout is the backstop.
/* pganalytics:pg_stats/index_sizes */
WITH i AS MATERIALIZED (
  SELECT r.oid
    FROM pg_catalog.pg_index AS x
    JOIN pg_catalog.pg_class AS r ON r.oid = x.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
   WHERE r.relkind = 'i' AND t.relkind IN ('r', 'm') AND r.relpersistence <> 't'
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   ORDER BY GREATEST(r.relpages, pg_catalog.pg_stat_get_live_tuples(t.oid) / 250) DESC, r.oid
   LIMIT 2000
), held AS MATERIALIZED (
  SELECT DISTINCT l.relation AS oid
    FROM pg_catalog.pg_locks AS l
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'  -- granted or not: whoever comes later queues behind it
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
)
SELECT i.oid AS id,
       h.oid IS NOT NULL AS is_locked,
       CASE WHEN h.oid IS NULL THEN pg_catalog.pg_relation_size(i.oid) END AS size_bytes
  FROM i
  LEFT JOIN held AS h ON h.oid = i.oid
