-- Client sessions by database and state, without this collector's own.
/* pganalytics:example_connections/connections */
SELECT coalesce(datname, '') AS database,
       coalesce(state, 'unknown') AS state,
       pg_catalog.count(*) AS sessions
  FROM pg_catalog.pg_stat_activity
 WHERE backend_type = 'client backend'
   AND application_name <> pg_catalog.current_setting('application_name')
 GROUP BY 1, 2
 ORDER BY 1, 2
 LIMIT 5000
