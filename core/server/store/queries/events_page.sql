/* pganalytics-server:events_page */
-- $1: families; $2: what their labels must be, by position; $4: a pattern of ILIKE for the values of the event's own members, or ''.
select e.id, (extract(epoch from e.time) * 1000000)::bigint, e.family_id, e.collector_id, c.name, e.event
from pganalytics.events e
join pganalytics.collectors c on c.id = e.collector_id
where e.family_id = any ($1::integer[])
  and not exists (
    select from pg_catalog.jsonb_to_recordset($2::jsonb) m (family integer, position integer, op text, value text)
    where m.family = e.family_id and not case m.op
      when '=' then coalesce(e.labels[m.position], '') = m.value
      when '!=' then coalesce(e.labels[m.position], '') <> m.value
      when '~' then coalesce(e.labels[m.position], '') like m.value
      else coalesce(e.labels[m.position], '') not like m.value
    end
  )
  and ($3 = '' or e.collector_id = any (array(select id from pganalytics.collectors where id::text = $3 or name = $3)))
  and ($4 = '' or exists (select from pg_catalog.jsonb_each_text(e.event) member where member.value ilike $4))
  and ($5::timestamptz is null or e.time >= $5::timestamptz)
  and ($6::timestamptz is null or e.time < $6::timestamptz)
  and e.id <= $7::bigint
  and ($8::timestamptz is null or (e.time, e.id) < ($8::timestamptz, $9::bigint))
order by e.time desc, e.id desc
limit $10::bigint
