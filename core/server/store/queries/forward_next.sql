/* pganalytics-server:forward_next */
-- What comes after a place, in order. `waits`: it came before the schema of its plugin, which is on its way.
select f.xid::text, f.id, f.collector_id, c.name, f.received_at::text, (extract(epoch from f.received_at) * 1000000)::bigint, f.documents,
       greatest(extract(epoch from clock_timestamp() - f.received_at), 0)::bigint as age_s,
       f.received_at > now() - interval '1 minute' and exists (
         select from pganalytics.unread_documents u
         where u.received_at = f.received_at and u.collector_id = f.collector_id
           and not exists (select from pganalytics.schemas s where s.plugin = u.type)
       ) as waits
from pganalytics.forwardable f
join pganalytics.collectors c on c.id = f.collector_id
where (f.xid, f.id) > ($1::xid8, $2::bigint) and f.xid < pg_snapshot_xmin(pg_current_snapshot())
order by f.xid, f.id
limit $3
