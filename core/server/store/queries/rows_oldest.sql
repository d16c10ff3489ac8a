/* pganalytics-server:rows_oldest */
-- From a full hour on: a roll-up of an hour that is kept in part must not be made again of that part.
select (extract(epoch from greatest(
  pganalytics.hour_from(now() - pg_catalog.make_interval(days => coalesce(
    (select (document ->> 'retention_days')::integer from pganalytics.configs where collector_id = $1::uuid order by version desc limit 1), 30))),
  (select max(until) from pganalytics.forgotten_points where collector_id = $1::uuid or collector_id is null)
)) * 1000000)::bigint
