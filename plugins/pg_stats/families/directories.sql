-- Files and bytes in the directories of WAL, its archiving, temporary files and, if the server writes it itself, its log.
-- Scope: server
-- Rows: all
-- Every: 60s
-- Grants: GRANT pg_monitor to the role.
-- Cost: stat(2) of each file there.
SELECT 'wal' AS name, -- key: wal, archive_ready, temp, log.
       count(*) AS files, -- gauge {file}: How many.
       coalesce(sum(w.size), 0)::int8 AS bytes -- gauge By: Together.
  FROM pg_catalog.pg_ls_waldir() AS w
UNION ALL
SELECT 'archive_ready', count(*), coalesce(sum(a.size), 0)::int8 FROM pg_catalog.pg_ls_archive_statusdir() AS a WHERE a.name LIKE '%.ready'
UNION ALL
SELECT 'temp', count(*), coalesce(sum(t.size), 0)::int8 FROM pg_catalog.pg_ls_tmpdir() AS t
UNION ALL
SELECT 'log', count(*), coalesce(sum(l.size), 0)::int8 FROM pg_catalog.pg_ls_logdir() AS l
 WHERE current_setting('logging_collector')::bool HAVING current_setting('logging_collector')::bool -- without it there may be no such directory
