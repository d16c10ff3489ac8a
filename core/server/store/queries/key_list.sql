/* pganalytics-server:key_list */
select id, role, label, (extract(epoch from created_at) * 1000000)::bigint as created_us, revoked_at is not null as revoked,
       (extract(epoch from last_used_at) * 1000000)::bigint as last_used_us
from pganalytics.api_keys
order by id
