/* pganalytics-server:documents_forget */
-- The oldest of what a collector has beyond $2 days: about $3 documents, to the end of a push.
with bound as (
  select received_at from pganalytics.documents
  where collector_id = $1::uuid and received_at < now() - pg_catalog.make_interval(days => $2::integer)
  order by received_at offset $3::bigint limit 1
)
delete from pganalytics.documents
where collector_id = $1::uuid and received_at < now() - pg_catalog.make_interval(days => $2::integer)
  and received_at <= coalesce((select received_at from bound), 'infinity')
