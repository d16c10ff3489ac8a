-- Exact sizes of tables and materialized views, and their distance to wraparound: each table once in ten minutes.
-- Scope: database
-- Rows: changed
-- Every: 60s
-- Slices: 10
-- Grants: none
-- Cost: stat(2) of each file of a tenth of the tables. What ACCESS EXCLUSIVE holds or awaits is not opened; lock_timeout is the backstop.
WITH held AS MATERIALIZED (
  SELECT DISTINCT l.relation AS oid
    FROM pg_catalog.pg_locks AS l
   WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'  -- granted or not: whoever comes later queues behind it
     AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
), locked AS MATERIALIZED (  -- a table's size opens the table, its TOAST table, and the indexes of both
  SELECT h.oid FROM held AS h
  UNION SELECT x.indrelid FROM pg_catalog.pg_index AS x JOIN held AS h ON h.oid = x.indexrelid
  UNION SELECT r.oid FROM pg_catalog.pg_class AS r JOIN held AS h ON h.oid = r.reltoastrelid
  UNION SELECT r.oid
          FROM pg_catalog.pg_class AS r
          JOIN pg_catalog.pg_index AS x ON x.indrelid = r.reltoastrelid
          JOIN held AS h ON h.oid = x.indexrelid
)
SELECT c.oid::int8 AS oid, -- key int: Of the table.
       n.nspname AS schema, -- label: Schema of the table.
       c.relname AS name, -- label: Name of the table.
       l.oid IS NOT NULL AS is_locked, -- info bool: Somebody holds or awaits ACCESS EXCLUSIVE: sizes were not read.
       CASE WHEN l.oid IS NULL THEN pg_catalog.pg_relation_size(c.oid) END AS heap_bytes, -- gauge By: The table's own data.
       CASE WHEN l.oid IS NULL AND c.reltoastrelid <> 0 THEN pg_catalog.pg_total_relation_size(c.reltoastrelid) END AS toast_bytes, -- gauge By: Its TOAST table with the index of that.
       CASE WHEN l.oid IS NULL AND c.relhasindex THEN pg_catalog.pg_indexes_size(c.oid) END AS index_bytes, -- gauge By: All of its indexes.
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::float8 END AS estimated_rows, -- gauge num {row}: reltuples, as of the last vacuum or analyze.
       c.relpages::int8 AS pages, -- gauge {page}: relpages, as of the last vacuum or analyze.
       c.relallvisible::int8 AS all_visible_pages, -- gauge {page}: Of these, visible to all.
       array_to_string(c.reloptions, ', ') AS options, -- info: Storage parameters.
       CASE WHEN c.relfrozenxid <> '0'::xid THEN age(c.relfrozenxid) END AS frozen_xid_age, -- drift {transaction}: Transactions since relfrozenxid.
       CASE WHEN c.relminmxid <> '0'::xid THEN mxid_age(c.relminmxid) END AS min_mxid_age -- drift {multixact}: Multixacts since relminmxid.
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN locked AS l ON l.oid = c.oid
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.oid::int8 % 10 = 0 -- slice
