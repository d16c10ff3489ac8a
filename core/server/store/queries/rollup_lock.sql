/* pganalytics-server:rollup_lock */
-- One of all servers at a time; the others have nothing to do.
select pg_catalog.pg_try_advisory_xact_lock(8443150009)
