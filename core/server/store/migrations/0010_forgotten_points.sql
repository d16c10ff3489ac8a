-- Up to when points were forgotten, of a collector or (null) of all. What comes for a time before must not be rolled up as if it were
-- all there was: after retention_days was raised a collector may keep more days than it has points of.
create table pganalytics.forgotten_points (
  collector_id uuid,
  until        timestamptz not null
);

-- Who forgets is alone (queries/housekeeping_lock.sql).
create function pganalytics.note_forgotten(of_collector uuid, partition text) returns void language sql set search_path = pg_catalog as $$
  with before as (
    delete from pganalytics.forgotten_points where collector_id is not distinct from of_collector returning until
  )
  insert into pganalytics.forgotten_points
  select of_collector, greatest(pganalytics.midnight(to_date(right(partition, 8), 'YYYYMMDD')), (select max(until) from before))
$$;

create or replace function pganalytics.drop_partition(of_table text, days integer)
returns text language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  dropped text;
begin
  select name into dropped from pganalytics.partitions
  where parent = of_table and pganalytics.midnight(until) <= now() - make_interval(days => days) order by until limit 1;
  if dropped is not null then
    execute format('drop table pganalytics.%I', dropped);
    delete from pganalytics.swept_partitions s where s.partition = dropped;
    if of_table = 'points' then
      perform pganalytics.note_forgotten(null, dropped);
    end if;
  end if;
  return dropped;
end
$$;

create or replace function pganalytics.sweep_partition(partition text, of_collector uuid, most integer) returns bigint
language plpgsql set search_path = pg_catalog as $$
declare
  gone bigint;
begin
  execute format('delete from pganalytics.%1$I where ctid = any(array(select p.ctid from pganalytics.%1$I p where %2$s limit $2))', partition,
                 case when partition like 'points%' then 'p.series_id in (select id from pganalytics.series where collector_id = $1)'
                      else 'p.collector_id = $1' end)
  using of_collector, most;
  get diagnostics gone = row_count;
  if gone < most then
    insert into pganalytics.swept_partitions (partition, collector_id) values (partition, of_collector) on conflict do nothing;
  end if;
  if gone > 0 and partition like 'points%' then
    perform pganalytics.note_forgotten(of_collector, partition);
  end if;
  return gone;
end
$$;
