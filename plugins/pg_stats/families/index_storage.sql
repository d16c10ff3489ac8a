-- Exact sizes of indexes, hashes of their definitions, and whether they are of use: each index once in ten minutes.
-- Scope: database
-- Rows: changed
-- Every: 60s
-- Slices: 10
-- Grants: none
-- Cost: stat(2) of each file of a tenth of the indexes. What ACCESS EXCLUSIVE holds or awaits is not opened; lock_timeout is the backstop.
WITH locked AS MATERIALIZED (
  SELECT DISTINCT l.relation AS oid
    FROM pg_catalog.pg_locks AS l
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'  -- granted or not: whoever comes later queues behind it
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
), held AS MATERIALIZED (  -- the size opens the index, the definition its table
  SELECT l.oid FROM locked AS l
  UNION SELECT x.indexrelid FROM pg_catalog.pg_index AS x JOIN locked AS l ON l.oid = x.indrelid
)
SELECT r.oid::int8 AS oid, -- key int: Of the index.
       n.nspname AS schema, -- label: Schema of the index.
       t.relname AS "table", -- label: Name of its table.
       r.relname AS name, -- label: Name of the index.
       m.amname AS method, -- info: btree, hash, gin...
       h.oid IS NOT NULL AS is_locked, -- info bool: Somebody holds or awaits ACCESS EXCLUSIVE on it or its table: neither size nor definition were read.
       CASE WHEN h.oid IS NULL THEN pg_catalog.pg_relation_size(r.oid) END AS size_bytes, -- gauge By: The index's data.
       pg_catalog.pg_stat_get_numscans(r.oid) = 0 AND NOT x.indisunique AS is_unused, -- gauge bool 1: Not scanned since the counters began, and it enforces nothing.
       count(*) OVER (
         PARTITION BY x.indrelid, r.relam, x.indkey::text, x.indclass::text, x.indcollation::text, x.indoption::text, x.indexprs::text, x.indpred::text
       ) > 1 AS is_duplicate, -- gauge bool 1: Another index has the same columns, expressions and condition.
       CASE WHEN h.oid IS NULL THEN md5(pg_catalog.pg_get_indexdef(r.oid)) END AS definition_hash -- info: Another one: it was defined anew.
  FROM pg_catalog.pg_index AS x
  JOIN pg_catalog.pg_class AS r ON r.oid = x.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
  JOIN pg_catalog.pg_am AS m ON m.oid = r.relam
  LEFT JOIN held AS h ON h.oid = r.oid
 WHERE r.relkind = 'i' AND t.relkind IN ('r', 'm') AND r.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND x.indrelid::int8 % 10 = 0 -- slice
