/* pganalytics-server:steps_of_points */
-- Field $2 of the series $1 in [$3, $4), in steps of $5 seconds; and one step more, of the last sample before, for what holds or grows from there. A
-- sample's growth is since the one before it, if that is at most a day older; one that is below it began anew. What is beyond 1e300 counts as absent:
-- sums of such values are an error.
select id, extract(epoch from step)::bigint, count(*), min(v), max(v), sum(v), (array_agg(v order by time desc, v desc))[1], sum(growth)
from (
  select s.id, pg_catalog.date_bin(pg_catalog.make_interval(secs => $5::integer), p.time, 'epoch') as step, p.time, p.v,
         case when p.v >= p.before then p.v - p.before when p.v < p.before then p.v end as growth
  from unnest($1::bigint[]) s (id)
  cross join lateral (
    select time, v, case when time - lag(time) over one_by_one <= interval '1 day' then lag(v) over one_by_one end as before
    from (
      (select time, fields[$2::integer] as v from pganalytics.points
       where series_id = s.id and fields[$2::integer] between -1e300 and 1e300
         and time < pg_catalog.to_timestamp($3::bigint) and time >= pg_catalog.to_timestamp($3::bigint) - interval '1 day'
       order by time desc, v desc limit 1)
      union all
      (select time, fields[$2::integer] from pganalytics.points
       where series_id = s.id and fields[$2::integer] between -1e300 and 1e300
         and time >= pg_catalog.to_timestamp($3::bigint) and time < pg_catalog.to_timestamp($4::bigint))
    ) samples
    window one_by_one as (order by time, v)
  ) p
) grown
group by id, step
order by id, step
