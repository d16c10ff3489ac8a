/* pganalytics-server:events_forget */
-- Those that came so late that their day had no partition.
delete from pganalytics.events_default
where ctid = any(array(
  select ctid from pganalytics.events_default
  where time < now() - pg_catalog.make_interval(days => (select coalesce(max(longest_days), 30) from pganalytics.retention)) limit $1
))
