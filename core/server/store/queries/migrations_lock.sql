/* pganalytics-server:migrations_lock */
select pg_catalog.pg_advisory_xact_lock(8443150001)
