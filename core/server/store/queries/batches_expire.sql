/* pganalytics-server:batches_expire */
-- No collector keeps a batch for longer than 14 days ([spool] max_age), so after 30 none can come again.
with due as (
  select collector_id, epoch, seq, part from pganalytics.batches where received_at < now() - interval '30 days' limit $1
)
delete from pganalytics.batches b using due where b.collector_id = due.collector_id and b.epoch = due.epoch and b.seq = due.seq
  and b.part = due.part
