/* pganalytics-server:series_add */
insert into pganalytics.series (collector_id, family_id, digest, labels)
select $1::uuid, g.family_id, g.digest, g.labels::text[]
from unnest($2::integer[], $3::bytea[], $4::text[]) as g (family_id, digest, labels)
returning digest, id
