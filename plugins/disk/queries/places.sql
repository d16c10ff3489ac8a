-- Where the server keeps what fills disks, and the bytes of WAL and of temporary files.
-- Grants: GRANT pg_monitor to the role: data_directory and log_directory are pg_read_all_settings', pg_ls_waldir() and pg_ls_tmpdir() pg_monitor's.
-- Cost: stat(2) of each file of WAL and each temporary file.
-- Temporary files of the default tablespace are in data_directory/base/pgsql_tmp, which hardly ever is a place of its own (docs: Database File Layout).
/* pganalytics:disk/places */
WITH setting AS (
  SELECT pg_catalog.current_setting('data_directory') AS data, pg_catalog.current_setting('log_directory') AS log, pg_catalog.current_setting('temp_tablespaces') AS temp
), chosen AS ( -- names in temp_tablespaces: "as written" or folded
  SELECT coalesce(pg_catalog.replace(m[1], '""', '"'), pg_catalog.lower(m[2])) AS name
    FROM setting, pg_catalog.regexp_matches(temp, '"((?:[^"]|"")+)"|([^",[:space:]]+)', 'g') AS m
), place AS (
  SELECT t.oid, t.spcname AS name,
         CASE WHEN l.location = '' THEN data WHEN l.location LIKE '/%' THEN l.location ELSE data || '/' || l.location END AS path
    FROM setting, pg_catalog.pg_tablespace AS t, LATERAL (SELECT pg_catalog.pg_tablespace_location(t.oid) AS location) AS l
   WHERE t.spcname <> 'pg_global'
)
SELECT 'data' AS name, data AS path, NULL::int8 AS files, NULL::int8 AS bytes FROM setting
UNION ALL
SELECT 'wal', data || '/pg_wal', w.files, w.bytes
  FROM setting, (SELECT pg_catalog.count(*) AS files, coalesce(pg_catalog.sum(size), 0)::int8 AS bytes FROM pg_catalog.pg_ls_waldir()) AS w
UNION ALL
SELECT 'log', CASE WHEN log LIKE '/%' THEN log ELSE data || '/' || log END, NULL, NULL FROM setting
 WHERE pg_catalog.current_setting('logging_collector')::bool -- without it the server writes no files of its own there
UNION ALL
(SELECT 'tablespace ' || name, path, NULL, NULL FROM place, setting WHERE path <> data ORDER BY name LIMIT 100)
UNION ALL -- those that the server puts temporary files into when nobody says otherwise, and those that have some
(SELECT CASE place.name WHEN 'pg_default' THEN 'temp' ELSE 'temp ' || place.name END, path, t.files, t.bytes
   FROM place, LATERAL (SELECT pg_catalog.count(*) AS files, coalesce(pg_catalog.sum(size), 0)::int8 AS bytes FROM pg_catalog.pg_ls_tmpdir(place.oid)) AS t
  WHERE t.files > 0 OR place.name IN (SELECT name FROM chosen) OR (place.name = 'pg_default' AND NOT EXISTS (SELECT FROM chosen))
  ORDER BY place.name LIMIT 100)
