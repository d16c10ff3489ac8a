-- The server itself.
-- Scope: server
-- Rows: one
-- Every: 10s
-- Grants: none
-- Cost: constant; no relation is read.
SELECT pg_catalog.current_setting('server_version') AS version, -- info: As the server says it: "15.4 (Debian ...)".
       pg_catalog.current_setting('server_version_num')::int4 AS version_num, -- info int: server_version_num: 150004.
       s.system_identifier::text AS system_identifier, -- info: Of the cluster, from pg_control; the same on its standbys. A text, since it identifies.
       c.timeline_id AS timeline, -- info int: Of the last checkpoint; another one after a failover.
       pg_catalog.pg_is_in_recovery() AS in_recovery, -- info bool: It is a standby, or recovers from a crash.
       pg_catalog.pg_postmaster_start_time() AS start_time, -- info time: When the postmaster started.
       extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time()) AS uptime_seconds, -- gauge num s: Since then.
       pg_catalog.pg_conf_load_time() AS configuration_time, -- info time: When the configuration was last loaded.
       pg_catalog.current_setting('max_connections')::int4 AS max_connections -- gauge int {connection}: The setting.
  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c
