/* pganalytics-server:series_known */
select g.ordinal - 1, s.id, extract(epoch from s.seen_at)::bigint, s.facts_digest, (extract(epoch from s.facts_at) * 1000000)::bigint
from unnest($2::integer[], $3::bytea[]) with ordinality as g (family_id, digest, ordinal)
join pganalytics.series s on s.family_id = g.family_id and s.collector_id = $1::uuid and s.digest = g.digest
