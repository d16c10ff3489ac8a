/* pganalytics-server:series_forget */
-- Seen on no day for so long that no point of theirs is left, nor a roll-up of one. What a push uses it has seen that day (push_series.cpp).
delete from pganalytics.series
where id = any(array(
  select s.id from pganalytics.series s join pganalytics.retention r on r.collector_id = s.collector_id
  where s.seen_at < now() - pg_catalog.make_interval(days => r.longest_days + greatest(1, r.longest_days / 60) + 2)
    and not exists (select from pganalytics.rollups u where u.series_id = s.id)
  order by s.seen_at limit $1
))
