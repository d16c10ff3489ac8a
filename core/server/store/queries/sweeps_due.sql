/* pganalytics-server:sweeps_due */
-- Partitions that are over for a collector, and not for all of them.
select p.name, r.collector_id
from pganalytics.retention r
join pganalytics.partitions p on p.parent in ('points', 'events') and pganalytics.midnight(p.until) <= now() - pg_catalog.make_interval(days => r.days)
where r.days < r.longest_days
  and not exists (select from pganalytics.swept_partitions s where s.partition = p.name and s.collector_id = r.collector_id)
limit 200
