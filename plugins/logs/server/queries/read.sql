-- $3 bytes of the file $1 from byte $2 on, or fewer because it ends; NULL: it is gone.
-- Grants: EXECUTE on the function, or pg_read_server_files. Cost: reads so much of the file.
/* pganalytics:logs/read */
SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file($1::pg_catalog.text, $2::pg_catalog.int8, $3::pg_catalog.int8, true), 'escape') AS bytes
