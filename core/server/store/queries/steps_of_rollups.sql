/* pganalytics-server:steps_of_rollups */
-- As steps_of_points, from roll-ups of $6 seconds, of which the step is a multiple.
select id, extract(epoch from step)::bigint, sum(n), min(lo), max(hi), sum(total), (array_agg(last order by time desc))[1], sum(growth)
from (
  select s.id, pg_catalog.date_bin(pg_catalog.make_interval(secs => $5::integer), r.time, 'epoch') as step, r.time, r.last, r.growth,
         coalesce(r.n, 1) as n, coalesce(r.lo, r.last) as lo, coalesce(r.hi, r.last) as hi, coalesce(r.total, r.last) as total
  from unnest($1::bigint[]) s (id)
  cross join lateral (
    (select time, last[$2::integer], growth[$2::integer], n[$2::integer], lo[$2::integer], hi[$2::integer], total[$2::integer]
     from pganalytics.rollups
     where series_id = s.id and width_s = $6::integer and last[$2::integer] is not null
       and time < pg_catalog.to_timestamp($3::bigint) and time >= pg_catalog.to_timestamp($3::bigint) - interval '1 day'
     order by time desc limit 1)
    union all
    (select time, last[$2::integer], growth[$2::integer], n[$2::integer], lo[$2::integer], hi[$2::integer], total[$2::integer]
     from pganalytics.rollups
     where series_id = s.id and width_s = $6::integer and last[$2::integer] is not null
       and time >= pg_catalog.to_timestamp($3::bigint) and time < pg_catalog.to_timestamp($4::bigint))
  ) r (time, last, growth, n, lo, hi, total)
) rolled
group by id, step
order by id, step
