/* pganalytics-server:collector */
select c.id, c.name, c.hostname, c.version,
       (extract(epoch from c.created_at) * 1000000)::bigint as created_us,
       (extract(epoch from c.last_push_at) * 1000000)::bigint as last_push_us,
       c.batches, c.documents, c.revoked_at is not null as revoked,
       k.key_origin, (extract(epoch from k.not_after) * 1000000)::bigint as certificate_until_us, k.ca_pin,
       c.late_renewals, c.ca_etag,
       floor(extract(epoch from now() - coalesce(c.last_push_at, c.created_at)))::bigint as quiet_s,
       (extract(epoch from c.newest_data_at) * 1000000)::bigint as newest_data_us,
       floor(extract(epoch from now() - c.newest_data_at))::bigint as lag_s
from pganalytics.collectors c
left join lateral (
  -- The certificate in force; before its first use, the newest that was given out.
  select key_origin, not_after, ca_pin from pganalytics.certificates
  where collector_id = c.id and superseded_at is null
  order by first_used_at is null, issued_at desc limit 1
) k on true
where c.id = $1
