/* pganalytics-server:documents_expire */
with kept as (
  -- How long each collector's documents are kept: its newest configuration says so, 30 days otherwise.
  select c.id as collector_id, coalesce(newest.days, 30) as days
  from pganalytics.collectors c
  left join lateral (
    select (document ->> 'retention_days')::integer as days
    from pganalytics.configs where collector_id = c.id order by version desc limit 1
  ) newest on true
),
due as (
  select d.id
  from pganalytics.documents d join kept using (collector_id)
  where d.received_at < (select now() - pg_catalog.make_interval(days => min(days)) from kept)  -- what the index can answer
    and d.received_at < now() - pg_catalog.make_interval(days => kept.days)
  limit $1
)
delete from pganalytics.documents using due where documents.id = due.id
