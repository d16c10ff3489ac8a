/* pganalytics-server:collectors_pushed */
-- $1 is in order, and so is who is locked first: two that push the same collectors never wait for each other. "offset 0": looked up
-- one by one, by the index. And, while something is forwarded, the pushes are noted for it.
with pushed as materialized (
  select g.id, g.documents, g.hostname, g.version, g.out_of_time, g.newest
  from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
    as g (id, documents, hostname, version, out_of_time, newest)
  cross join lateral (
    select from pganalytics.collectors c where c.id = g.id and c.revoked_at is null for no key update offset 0
  ) found
), noted as (
  insert into pganalytics.forwardable (collector_id, documents)
  select id, documents from pushed where documents > 0 and exists (select from pganalytics.forwards)
)
update pganalytics.collectors c
set last_push_at = now(), batches = batches + 1, documents = c.documents + p.documents, rows_out_of_time = rows_out_of_time + p.out_of_time,
    hostname = coalesce(nullif(p.hostname, ''), c.hostname), version = coalesce(nullif(p.version, ''), c.version),
    newest_data_at = greatest(newest_data_at, case when p.newest < now() + interval '1 day' then p.newest end)  -- a wild clock says nothing
from pushed p
where c.id = p.id
returning c.id, (select coalesce(max(k.version), 0) from pganalytics.configs k where k.collector_id = c.id) as config_version
