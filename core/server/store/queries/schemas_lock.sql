/* pganalytics-server:schemas_lock */
-- Families of two schemas at once would take the same names.
select pg_catalog.pg_advisory_xact_lock(8443150005)
