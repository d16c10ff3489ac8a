/* pganalytics-server:texts_forget */
-- Some that were not given for a week: who is in use yet is asked again in another week.
with old as (
  select t.digest, exists (select from pganalytics.series s where s.long_facts @> array[t.digest]) as is_used
  from pganalytics.texts t where t.used_at < now() - interval '7 days' order by t.used_at limit $1 for update
), kept as (
  update pganalytics.texts t set used_at = now() from old where t.digest = old.digest and old.is_used
)
delete from pganalytics.texts t using old where t.digest = old.digest and not old.is_used
