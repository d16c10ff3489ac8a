-- The files in log_directory, the last written first.
-- Grants: pg_monitor. Cost: one stat for each file.
/* pganalytics:logs/list */
SELECT f.name, f.size,
       pg_catalog.date_part('epoch', f.modification)::pg_catalog.int8 AS modified_s,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::pg_catalog.int8 AS now_s
  FROM pg_catalog.pg_ls_logdir() AS f
 ORDER BY f.modification DESC
 LIMIT 10000
