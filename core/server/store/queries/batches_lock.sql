/* pganalytics-server:batches_lock */
-- One push of a number at a time, whole or part. Never waited for: whoever comes second is told to come again.
select pg_try_advisory_xact_lock(hashtextextended(g.key, 0)) from unnest($1::text[]) with ordinality as g (key, place) order by g.place
