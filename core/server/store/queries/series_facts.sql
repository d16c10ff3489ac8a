/* pganalytics-server:series_facts */
update pganalytics.series s
set facts = g.facts::text[], long_facts = g.long_facts::bytea[], facts_digest = g.facts_digest, facts_at = g.facts_at
from unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[]) as g (id, facts, long_facts, facts_digest, facts_at)
where s.id = g.id
