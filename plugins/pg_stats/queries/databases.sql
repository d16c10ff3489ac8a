-- Which server this is, and all of its databases: asked by each run before anything else.
-- Grants: none. Cost: one row per database.
/* pganalytics:pg_stats/databases */
SELECT pg_catalog.concat_ws('/', s.system_identifier, c.timeline_id, pg_catalog.pg_is_in_recovery()) AS identity,
       pg_catalog.current_database() AS current,
       d.datname AS name,
       d.datistemplate AS is_template,
       d.datallowconn AS allows_connections,
       pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS can_connect,
       pg_catalog.to_char(pg_catalog.pg_stat_get_db_stat_reset_time(d.oid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS stats_reset,
       (SELECT pg_catalog.string_agg(r.name, ',')
          FROM (VALUES ('pg_read_all_stats'), ('pg_read_all_settings')) AS r (name)
         WHERE NOT pg_catalog.pg_has_role(r.name, 'USAGE')) AS lacking_roles
  FROM pg_catalog.pg_database AS d, pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c
 ORDER BY d.datname
