-- What server this is and since when it runs: the document's "server" object, once per run.
-- Grants: none. Cost: constant, no relation is read.
/* pganalytics:pg_stats/server */
SELECT pg_catalog.current_database() AS "database",
       pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version_num,
       (SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() AS c) AS system_identifier,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS start_time,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time()) AS uptime_seconds,
       pg_catalog.current_setting('max_connections')::pg_catalog.int4 AS max_connections
