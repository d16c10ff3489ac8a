-- Points in short, for charts over weeks and months: what the samples of a series in a bucket of 5 minutes, and of an hour, come to. And an
-- index for events of all collectors together, and how new a collector's data is.
alter table pganalytics.collectors add column newest_data_at timestamptz;
create index events_time on pganalytics.events (time desc, id desc);
create index series_collector on pganalytics.series (collector_id);

-- Arrays in the family's order of fields, null where a field has no sample (one beyond 1e300 counts as none: sums of such are an
-- error). n, lo, hi and total are null as a whole where the bucket has a single sample: it is all of them. Of counters there are
-- no lo, hi and total, of others no growth. An average is total / n.
create table pganalytics.rollups (
  width_s   integer not null,      -- 300 or 3600
  time      timestamptz not null,  -- the bucket's beginning: a multiple of its width since 1970 UTC
  series_id bigint not null,
  last      float8[] not null,
  growth    float8[],  -- since the sample before each, where that is at most a day older; one below it began anew and has grown by what it is
  n         integer[],
  lo        float8[],
  hi        float8[],
  total     float8[],
  primary key (series_id, width_s, time)
) partition by list (width_s);
create table pganalytics.rollups_300 partition of pganalytics.rollups for values in (300) partition by range (time);
create table pganalytics.rollups_3600 partition of pganalytics.rollups for values in (3600) partition by range (time);
-- What is older than the first partition; none of the future is rolled up.
create table pganalytics.rollups_300_default partition of pganalytics.rollups_300 default;
create table pganalytics.rollups_3600_default partition of pganalytics.rollups_3600 default;

create view pganalytics.rollup_partitions as
select c.relname as name, p.width_s, to_date(right(c.relname, 8), 'YYYYMMDD') as until
from (values (300, 'pganalytics.rollups_300'::regclass), (3600, 'pganalytics.rollups_3600'::regclass)) p (width_s, parent)
join pg_catalog.pg_inherits i on i.inhparent = p.parent
join pg_catalog.pg_class c on c.oid = i.inhrelid
where c.relname ~ '^rollups_\d+_until_\d{8}$';

-- From 15 days ago, when the oldest backlog of a collector may have begun, to a week ahead. Whoever comes second finds nothing to do.
create function pganalytics.make_rollup_partitions() returns void language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  today date := (now() at time zone 'UTC')::date;
  width integer;
  days integer;
  day date;
  partition text;
begin
  perform pg_advisory_xact_lock(8443150010);
  for width, days in values (300, 7), (3600, 30) loop
    select coalesce(max(until), today - 15) into day from pganalytics.rollup_partitions where width_s = width;
    while day <= today + 7 loop
      partition := format('rollups_%s_until_%s', width, to_char(day + days, 'YYYYMMDD'));
      execute format('create table pganalytics.%I (like pganalytics.rollups including all)', partition);
      execute format('alter table pganalytics.%I attach partition pganalytics.%I for values from (%L) to (%L)', 'rollups_' || width, partition,
                     pganalytics.midnight(day), pganalytics.midnight(day + days));
      day := day + days;
    end loop;
  end loop;
end
$$;

-- Drops the oldest partition of that width if all in it is older than so many days, and returns its name.
create function pganalytics.drop_rollup_partition(width integer, days integer)
returns text language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  partition text;
begin
  select name into partition from pganalytics.rollup_partitions
  where width_s = width and pganalytics.midnight(until) <= now() - make_interval(days => days) order by until limit 1;
  if partition is not null then
    execute format('drop table pganalytics.%I', partition);
  end if;
  return partition;
end
$$;

-- What is to be rolled up, again if it was: a row for each push and bucket. Rows are only ever added and taken away, so that of a push whose
-- transaction is still open nothing is lost: its rows come to be seen together with its points.
create table pganalytics.rollups_due (
  width_s      integer not null,
  time         timestamptz not null,
  collector_id uuid not null
);
create index rollups_due_next on pganalytics.rollups_due (width_s, time, collector_id);

-- Whoever adds points calls this in the same transaction, with their times.
create function pganalytics.note_points(collector uuid, times timestamptz[]) returns void language sql set search_path = pg_catalog as $$
  insert into pganalytics.rollups_due (width_s, time, collector_id)
  select distinct 300, date_bin('5 minutes', point_time, 'epoch'), collector from unnest(times) point_time
$$;

-- Up to where all that came in time is rolled up. What comes later is in rollups_due.
create table pganalytics.rollup_progress (
  width_s integer primary key,
  until   timestamptz not null
);
insert into pganalytics.rollup_progress values (300, 'epoch'), (3600, 'epoch');

-- One bucket of 5 minutes of a collector, from its points; of these series alone if any are named. Returns the series that have points in it.
create function pganalytics.roll_points(collector uuid, bucket timestamptz, only_series bigint[] default null)
returns bigint[] language plpgsql set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
declare
  rolled bigint[];
begin
  with samples as materialized (
    select s.id as series_id, p.time, u.position::integer, m.kind = 'counter' as is_counter, case when u.v between -1e300 and 1e300 then u.v end as v
    from pganalytics.series s
    cross join lateral (
      select time, fields from pganalytics.points where series_id = s.id and time >= bucket and time < bucket + interval '5 minutes'
    ) p
    cross join lateral unnest(p.fields) with ordinality u (v, position)
    join pganalytics.family_members m on m.family_id = s.family_id and m.role = 'field' and m.position = u.position
    where s.collector_id = collector and s.seen_at >= bucket - interval '2 days' and (only_series is null or s.id = any (only_series))
  ), before as materialized (
    -- The rows before the bucket: where counters begin to grow from. Few lack a field; those are looked for one by one below.
    select first.series_id, p.time, p.fields
    from (select distinct series_id from samples where is_counter) first
    cross join lateral (
      select time, fields from pganalytics.points
      where series_id = first.series_id and time < bucket and time >= bucket - interval '1 day' order by time desc limit 1
    ) p
  ), grown as (
    select series_id, position, is_counter, time, v,
           case when v >= previous then v - previous when v < previous then v end as growth
    from (
      select s.*,
             case
               when not s.is_counter or s.v is null then null
               when s.lag_time is not null then s.lag_v
               else coalesce(
                 case when b.fields[s.position] between -1e300 and 1e300 and b.time >= s.time - interval '1 day' then b.fields[s.position] end,
                 (select p.fields[s.position] from pganalytics.points p
                  where p.series_id = s.series_id and p.time < bucket and p.time >= s.time - interval '1 day'
                    and p.fields[s.position] between -1e300 and 1e300
                  order by p.time desc limit 1))
             end as previous
      from (
        select samples.*, lag(time) over one_by_one as lag_time, lag(v) over one_by_one as lag_v
        from samples
        window one_by_one as (partition by series_id, position, v is null order by time, v)
      ) s
      left join before b on b.series_id = s.series_id
    ) compared
  ), fields as (
    select series_id, position, count(*) as samples, count(v)::integer as n,
           min(v) filter (where not is_counter) as lo, max(v) filter (where not is_counter) as hi, sum(v) filter (where not is_counter) as total,
           (array_agg(v order by time desc, v desc) filter (where v is not null))[1] as last, sum(growth) as growth
    from grown group by series_id, position
  ), rows as (
    insert into pganalytics.rollups as r (width_s, time, series_id, last, growth, n, lo, hi, total)
    select 300, bucket, series_id, array_agg(last order by position),
           case when count(growth) > 0 then array_agg(growth order by position) end,
           case when max(samples) > 1 then array_agg(n order by position) end,
           case when max(samples) > 1 and count(lo) > 0 then array_agg(lo order by position) end,
           case when max(samples) > 1 and count(lo) > 0 then array_agg(hi order by position) end,
           case when max(samples) > 1 and count(lo) > 0 then array_agg(total order by position) end
    from fields group by series_id
    on conflict (series_id, width_s, time) do update
    set last = excluded.last, growth = excluded.growth, n = excluded.n, lo = excluded.lo, hi = excluded.hi, total = excluded.total
    returning r.series_id
  )
  select array_agg(series_id) into rolled from rows;
  return rolled;
end
$$;

-- One hour of a collector, from its buckets of 5 minutes.
create function pganalytics.roll_hour(collector uuid, hour timestamptz)
returns void language sql set search_path = pg_catalog as $$
  insert into pganalytics.rollups (width_s, time, series_id, last, growth, n, lo, hi, total)
  select 3600, hour, series_id, array_agg(last order by position),
         case when count(growth) > 0 then array_agg(growth order by position) end,
         case when max(samples) > 1 then array_agg(n order by position) end,
         case when max(samples) > 1 and count(lo) > 0 then array_agg(lo order by position) end,
         case when max(samples) > 1 and count(lo) > 0 then array_agg(hi order by position) end,
         case when max(samples) > 1 and count(lo) > 0 then array_agg(total order by position) end
  from (
    select r.series_id, u.position, sum(case when r.n is null then 1 else 2 end) as samples,
           sum(coalesce(u.n, (u.last is not null)::integer))::integer as n,
           min(coalesce(u.lo, u.last)) filter (where m.kind <> 'counter') as lo, max(coalesce(u.hi, u.last)) filter (where m.kind <> 'counter') as hi,
           sum(coalesce(u.total, u.last)) filter (where m.kind <> 'counter') as total,
           (array_agg(u.last order by r.time desc) filter (where u.last is not null))[1] as last, sum(u.growth) as growth
    from pganalytics.series s
    join pganalytics.rollups r on r.series_id = s.id and r.width_s = 300 and r.time >= hour and r.time < hour + interval '1 hour'
    cross join lateral unnest(r.last, r.growth, r.n, r.lo, r.hi, r.total) with ordinality u (last, growth, n, lo, hi, total, position)
    join pganalytics.family_members m on m.family_id = s.family_id and m.role = 'field' and m.position = u.position
    where s.collector_id = collector and s.seen_at >= hour - interval '2 days'
    group by r.series_id, u.position
  ) fields
  group by series_id
  on conflict (series_id, width_s, time) do update
  set last = excluded.last, growth = excluded.growth, n = excluded.n, lo = excluded.lo, hi = excluded.hi, total = excluded.total
$$;

-- A bucket that is due; and where its samples have come late, the next bucket of each of its series, whose first sample had been compared with an
-- older one than it has before it now.
create function pganalytics.roll_bucket(collector uuid, bucket timestamptz) returns void language plpgsql set search_path = pg_catalog as $$
declare
  rolled bigint[] := pganalytics.roll_points(collector, bucket);
  next_bucket timestamptz;
  next_series bigint[];
begin
  insert into pganalytics.rollups_due values (3600, date_bin('1 hour', bucket, 'epoch'), collector);
  for next_bucket, next_series in
    select next.time, array_agg(id)
    from unnest(rolled) id
    cross join lateral (
      select time from pganalytics.rollups
      where series_id = id and width_s = 300 and time > bucket and time <= bucket + interval '1 day 5 minutes' order by time limit 1
    ) next
    group by next.time
  loop
    perform pganalytics.roll_points(collector, next_bucket, next_series);
    insert into pganalytics.rollups_due values (3600, date_bin('1 hour', next_bucket, 'epoch'), collector);
  end loop;
end
$$;

-- Rolls up what is due and over, the oldest first, for about so long. True: there is more.
create function pganalytics.roll_up(budget_ms integer) returns boolean language plpgsql set search_path = pg_catalog as $$
declare
  stop timestamptz := clock_timestamp() + make_interval(secs => budget_ms / 1000.0);
  over timestamptz := date_bin('5 minutes', now() - interval '1 minute', 'epoch');  -- what was on its way has come
  due record;
  width integer;
begin
  foreach width in array array[300, 3600] loop
    if width = 3600 then
      over := date_bin('1 hour', over, 'epoch');
    end if;
    for due in
      select time, collector_id from pganalytics.rollups_due where width_s = width and time < over group by time, collector_id order by time, collector_id
    loop
      if clock_timestamp() >= stop then
        return true;
      end if;
      -- First, so that points which come to be seen only from here on are due again.
      delete from pganalytics.rollups_due where width_s = width and time = due.time and collector_id = due.collector_id;
      if width = 300 then
        perform pganalytics.roll_bucket(due.collector_id, due.time);
      else
        perform pganalytics.roll_hour(due.collector_id, due.time);
      end if;
    end loop;
    update pganalytics.rollup_progress set until = over where width_s = width and until < over;
  end loop;
  return false;
end
$$;

select pganalytics.make_rollup_partitions();
