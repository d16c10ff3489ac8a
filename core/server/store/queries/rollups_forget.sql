/* pganalytics-server:rollups_forget */
-- Of what lies in no partition of its time, $3 rows of each width.
with short as (
  delete from pganalytics.rollups_300_default where ctid = any (array(
    select ctid from pganalytics.rollups_300_default where time < now() - pg_catalog.make_interval(days => $1::integer) limit $3::bigint))
), long as (
  delete from pganalytics.rollups_3600_default where ctid = any (array(
    select ctid from pganalytics.rollups_3600_default where time < now() - pg_catalog.make_interval(days => $2::integer) limit $3::bigint))
)
select
