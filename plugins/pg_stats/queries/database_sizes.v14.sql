-- Bytes on disk of each database: databases[].size_bytes. NULL where the role may neither connect nor read all statistics.
-- Grants: pg_monitor (for pg_read_all_stats) or CONNECT on each. Cost: stat(2) of every file of the cluster.
/* pganalytics:pg_stats/database_sizes */
SELECT d.datname AS database_name,
       CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid)
       END AS size_bytes
  FROM pg_catalog.pg_database AS d
 WHERE d.datallowconn AND NOT d.datistemplate
