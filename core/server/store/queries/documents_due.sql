/* pganalytics-server:documents_due */
-- Some of the collectors that have documents to be forgotten row by row. One look into the index each: "lateral ... limit 1" keeps the planner
-- from reading them all.
select r.collector_id, r.forget_after_days
from pganalytics.document_retention($1::integer) r
cross join lateral (
  select from pganalytics.documents d
  where d.collector_id = r.collector_id and d.received_at < now() - pg_catalog.make_interval(days => r.forget_after_days)
  limit 1
) due
limit 50
