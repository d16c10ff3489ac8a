-- What the collector's role needs in PostgreSQL 14 and newer. Run once per server as a superuser:
--   psql -X -d postgres -f grants.sql
-- Choose how it signs in yourself: peer over the Unix socket needs nothing more; for a password: \password pganalytics
-- Running it again changes nothing.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'pganalytics') then
    create role pganalytics login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
  end if;
end
$$;
-- Reads statistics, sizes and settings; no table data, no files, no signals to other sessions than its own.
grant pg_monitor to pganalytics;
-- The collector keeps up to five sessions (connections_max) and uses one at a time; a sixth lets it come back while a broken one still hangs.
alter role pganalytics connection limit 6;
-- Guard rails of the server's own, beside those that the collector sets for its session.
alter role pganalytics set statement_timeout = '30s';
alter role pganalytics set temp_file_limit = '64MB';

-- More than that is yours to decide. What each brings, and what is missing without it, stands in the collector's "errors":
--   statements   create extension pg_stat_statements;  -- in this database, after shared_preload_libraries = 'pg_stat_statements' and a restart
--   logs through SQL   grant execute on function pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) to pganalytics;
--                      -- for a server whose log files the collector cannot read as files; lets the role read every file of the data directory and of
--                      -- log_directory, tables and pg_hba.conf among them. Prefer file access where there is any.
--   bloat, sequences   grant pg_read_all_data to pganalytics;  -- lets it read every table: statistics of columns hold values of rows
