/* pganalytics-server:quantiles_of_points */
-- As steps_of_points, with the quantile $6 of each step.
select id, extract(epoch from step)::bigint, count(*), min(v), max(v), sum(v), (array_agg(v order by time desc, v desc))[1],
       percentile_cont($6::float8) within group (order by v)
from (
  select s.id, pg_catalog.date_bin(pg_catalog.make_interval(secs => $5::integer), p.time, 'epoch') as step, p.time, p.v
  from unnest($1::bigint[]) s (id)
  cross join lateral (
    (select time, fields[$2::integer] as v from pganalytics.points
     where series_id = s.id and fields[$2::integer] between -1e300 and 1e300
       and time < pg_catalog.to_timestamp($3::bigint) and time >= pg_catalog.to_timestamp($3::bigint) - interval '1 day'
     order by time desc, v desc limit 1)
    union all
    (select time, fields[$2::integer] from pganalytics.points
     where series_id = s.id and fields[$2::integer] between -1e300 and 1e300
       and time >= pg_catalog.to_timestamp($3::bigint) and time < pg_catalog.to_timestamp($4::bigint))
  ) p
) samples
group by id, step
order by id, step
