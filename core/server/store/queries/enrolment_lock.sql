/* pganalytics-server:enrolment_lock */
select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 8443))
