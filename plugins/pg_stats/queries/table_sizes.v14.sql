-- Bytes on disk of the same tables as in tables.v14.sql. A table that ACCESS EXCLUSIVE holds or awaits is not opened: NULL.
-- Grants: none. Cost: stat(2) of each file of at most 2,000 tables with their indexes. lock_timeout is the backstop.
/* pganalytics:pg_stats/table_sizes */
WITH c AS MATERIALIZED (
  SELECT r.oid, r.reltoastrelid
    FROM pg_catalog.pg_class AS r
    JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
   WHERE r.relkind IN ('r', 'm') AND r.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   ORDER BY GREATEST(r.relpages, pg_catalog.pg_stat_get_live_tuples(r.oid) / 100) DESC, r.oid
   LIMIT 2000
), held AS MATERIALIZED (
  SELECT DISTINCT l.relation AS oid
    FROM pg_catalog.pg_locks AS l
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'  -- granted or not: whoever comes later queues behind it
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
), locked AS MATERIALIZED (  -- a table's size opens the table, its TOAST table, and the indexes of both
  SELECT h.oid FROM held AS h
  UNION SELECT x.indrelid FROM pg_catalog.pg_index AS x JOIN held AS h ON h.oid = x.indexrelid
  UNION SELECT r.oid FROM pg_catalog.pg_class AS r JOIN held AS h ON h.oid = r.reltoastrelid
  UNION SELECT r.oid
          FROM pg_catalog.pg_class AS r
          JOIN pg_catalog.pg_index AS x ON x.indrelid = r.reltoastrelid
          JOIN held AS h ON h.oid = x.indexrelid
)
SELECT c.oid AS id,
       l.oid IS NOT NULL AS is_locked,
       CASE WHEN l.oid IS NULL THEN pg_catalog.pg_table_size(c.oid) END AS size_bytes,
       CASE WHEN l.oid IS NULL THEN pg_catalog.pg_indexes_size(c.oid) END AS indexes_size_bytes
  FROM c
  LEFT JOIN locked AS l ON l.oid = c.oid
