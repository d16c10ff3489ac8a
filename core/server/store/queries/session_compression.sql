/* pganalytics-server:session_compression */
-- lz4 takes a fraction of pglz's time on documents. Not every PostgreSQL is built with it.
select set_config('default_toast_compression', 'lz4', false)
from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)
