/* pganalytics-server:forward_held */
-- What was refused at least so many milliseconds ago.
select h.xid::text, h.id, h.collector_id, c.name, h.received_at::text, (extract(epoch from h.received_at) * 1000000)::bigint, h.documents,
       greatest(extract(epoch from clock_timestamp() - h.received_at), 0)::bigint as age_s, false as waits
from pganalytics.forwards_held h
join pganalytics.collectors c on c.id = h.collector_id
where h.name = $1 and h.refused_at <= clock_timestamp() - pg_catalog.make_interval(secs => $2::bigint / 1000.0)
order by h.refused_at, h.xid, h.id
limit $3
