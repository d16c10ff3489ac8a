/* pganalytics-server:series_find */
-- $3: label values that must be among the labels, for the index; $4: what each label must be, by its position.
select s.id, s.collector_id, c.name, pg_catalog.array_to_json(s.labels)
from pganalytics.series s
join pganalytics.collectors c on c.id = s.collector_id
where s.family_id = $1::integer
  and ($2 = '' or c.id::text = $2 or c.name = $2)
  and s.labels @> array(select pg_catalog.jsonb_array_elements_text($3::jsonb))
  and not exists (
    select from pg_catalog.jsonb_to_recordset($4::jsonb) m (position integer, op text, value text)
    where not case m.op
      when '=' then coalesce(s.labels[m.position], '') = m.value
      when '!=' then coalesce(s.labels[m.position], '') <> m.value
      when '~' then coalesce(s.labels[m.position], '') like m.value
      else coalesce(s.labels[m.position], '') not like m.value
    end
  )
  and s.seen_at >= pg_catalog.to_timestamp($5::bigint) - interval '2 days'  -- it is kept to the day
order by s.id
limit $6::bigint
