/* pganalytics-server:unread_take */
-- The oldest whose schema is there; after an hour any schema of its plugin will do: the collector may have lost that one.
-- Of several servers each takes its own.
delete from pganalytics.unread_documents
where ctid = any(array(
  select u.ctid from pganalytics.unread_documents u
  cross join lateral (
    select from pganalytics.schemas k
    where k.plugin = u.type and (k.sha256 = u.sha256 or u.received_at < now() - interval '1 hour') limit 1
  ) known
  order by u.received_at limit 1
  for update of u skip locked
))
returning collector_id, type, sha256, received_at::text
