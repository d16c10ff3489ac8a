/* pganalytics-server:rollup_patience */
select pg_catalog.set_config('statement_timeout', '60s', true)
