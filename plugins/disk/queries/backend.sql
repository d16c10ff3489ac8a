-- Our own session, as a process of the server's host.
-- Grants: none.
/* pganalytics:disk/backend */
SELECT pid, extract(epoch FROM pg_catalog.clock_timestamp() - backend_start)::float8 AS age_seconds, usename AS "user", datname AS database
  FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
