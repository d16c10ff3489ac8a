/* pganalytics-server:collector_find */
-- By its id, the beginning of it, or its name.
select id, name, revoked_at is not null as revoked
from pganalytics.collectors
where id::text = lower($1) or name = $1 or (length($1) >= 4 and starts_with(id::text, lower($1)))
order by id::text = lower($1) desc, revoked_at is not null, created_at desc
limit 8
