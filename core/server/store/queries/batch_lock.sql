/* pganalytics-server:batch_lock */
-- One push of a number at a time, whole or part. Never waited for: whoever comes second is told to come again.
select pg_try_advisory_xact_lock(hashtextextended($1 || '.' || $2 || '.' || $3, 0))
