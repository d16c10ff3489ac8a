-- The file that each format is written to now; none where logging_collector is off.
-- Grants: pg_monitor. Cost: reads the file current_logfiles.
/* pganalytics:logs/current_files */
SELECT d.format, pg_catalog.pg_current_logfile(d.format) AS path
  FROM (SELECT pg_catalog.lower(pg_catalog.btrim(pg_catalog.unnest(pg_catalog.string_to_array(pg_catalog.current_setting('log_destination'), ','))))
           AS format) AS d
 WHERE d.format IN ('stderr', 'csvlog', 'jsonlog')
