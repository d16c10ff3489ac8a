/* pganalytics-server:migrations_version */
select coalesce(max(version), 0) as version, pg_catalog.current_setting('server_encoding') as encoding from pganalytics.migrations
