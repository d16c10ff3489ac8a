-- Bytes on disk of each database.
-- Scope: server
-- Rows: of databases
-- Every: 10m
-- Grants: GRANT pg_read_all_stats (or pg_monitor) to the role, or CONNECT on each database.
-- Cost: stat(2) of every file of the cluster.
SELECT d.datname AS name, -- key: Name of the database.
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid)
       END AS size_bytes -- gauge By: pg_database_size; null: not permitted.
  FROM pg_catalog.pg_database AS d
 WHERE d.datallowconn AND NOT d.datistemplate
 ORDER BY d.datname
