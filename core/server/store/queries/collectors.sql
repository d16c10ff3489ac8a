/* pganalytics-server:collectors */
select id, name, hostname, version,
       (extract(epoch from created_at) * 1000000)::bigint as created_us,
       (extract(epoch from last_push_at) * 1000000)::bigint as last_push_us,
       batches, documents, revoked_at is not null as revoked
from pganalytics.collectors
order by name, id
