/* pganalytics-server:batches_expire */
-- No collector keeps a batch for longer than 14 days ([spool] max_age), so after 30 none can come again.
delete from pganalytics.batches
where ctid = any(array(
  select ctid from pganalytics.batches where received_at < now() - interval '30 days' order by received_at limit $1
))
