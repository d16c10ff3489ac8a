/* pganalytics-server:forward_begin */
-- Where the destination is. A new one is at now. Rows of transactions to come are those of another cluster, whose dump this database
-- was made from: their numbers mean nothing here.
with strange as (
  delete from pganalytics.forwardable where xid >= pg_snapshot_xmax(pg_current_snapshot()) returning documents
)
insert into pganalytics.forwards as f (name, xid, id) values ($1, pg_snapshot_xmin(pg_current_snapshot()), 0)
on conflict (name) do update set
  seen_at = now(),
  xid = case when f.xid > pg_snapshot_xmax(pg_current_snapshot()) then excluded.xid else f.xid end,
  id = case when f.xid > pg_snapshot_xmax(pg_current_snapshot()) then 0 else f.id end
returning xid::text, id, (select coalesce(sum(documents), 0) from strange)
