-- Where an operator has created the extension TimescaleDB, points lie in a compressed hypertable of it instead of partitions
-- (docs/STORAGE.md). Its functions and views are named in bodies that nothing but a hypertable runs, so they need not be there.
-- What they do: https://www.tigerdata.com/docs/api/latest/, "Hypertables and chunks" and "Compression".
create function pganalytics.points_are_hypertable() returns boolean language sql stable set search_path = pg_catalog as $$
  select relkind = 'r' from pg_class where oid = 'pganalytics.points'::regclass
$$;

-- The schema of the extension's functions if it is here and 2.11 or newer, which inserts into and deletes from what is compressed.
create function pganalytics.timescaledb_schema() returns name language sql stable set search_path = pg_catalog as $$
  select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'timescaledb' and regexp_match(e.extversion, '^(\d+)\.(\d+)')::integer[] >= array[2, 11]
$$;

-- 'partitions', 'hypertable', or partitions that could be a hypertable: 'convertible' at once, 'filled' at the cost of a copy.
create function pganalytics.points_kind() returns text language sql stable set search_path = pg_catalog as $$
  select case
    when pganalytics.points_are_hypertable() then 'hypertable'
    when pganalytics.timescaledb_schema() is null then 'partitions'
    when exists (select from pganalytics.points) then 'filled'
    else 'convertible'
  end
$$;

-- A partitioned table cannot become a hypertable: another takes its place, with what is in it. Late points come for days, so a chunk
-- is compressed after three. Compression is not in the extension's Apache edition; there it is a hypertable and no more.
create function pganalytics.points_to_hypertable() returns void language plpgsql set search_path = pg_catalog as $$
declare
  extension name := pganalytics.timescaledb_schema();
  of_family integer;
begin
  if pganalytics.points_are_hypertable() then
    return;
  end if;
  if extension is null then
    raise exception 'this database has no timescaledb of 2.11 or newer' using errcode = 'feature_not_supported', hint = 'create extension timescaledb';
  end if;
  lock table pganalytics.points in access exclusive mode;
  alter table pganalytics.points rename to points_before;
  alter index pganalytics.points_series rename to points_before_series;
  create table pganalytics.points (
    time      timestamptz not null,
    series_id bigint not null,
    fields    float8[] not null
  );
  create index points_series on pganalytics.points (series_id, time);
  execute format('select %I.create_hypertable(%L::regclass, %L, chunk_time_interval => %L::interval, create_default_indexes => false)',
                 extension, 'pganalytics.points', 'time', '1 day');
  insert into pganalytics.points (time, series_id, fields) select time, series_id, fields from pganalytics.points_before;
  if current_setting('timescaledb.license', true) = 'timescale' then
    alter table pganalytics.points set (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 'time');
    execute format('select %I.add_compression_policy(%L::regclass, %L::interval)', extension, 'pganalytics.points', '3 days');
  end if;
  for of_family in select id from pganalytics.families loop
    perform pganalytics.make_family_view(of_family);
  end loop;
  drop table pganalytics.points_before;
  delete from pganalytics.swept_partitions where partition like 'points%';
end
$$;

-- As make_partitions(): a hypertable makes its chunks by itself, and is told how wide the next ones are to be.
create function pganalytics.make_point_partitions(days_ahead integer, width integer) returns void language plpgsql set search_path = pg_catalog as $$
begin
  if not pganalytics.points_are_hypertable() then
    perform pganalytics.make_partitions('points', 'time', 15, days_ahead, width);
  elsif exists (select from timescaledb_information.dimensions where hypertable_schema = 'pganalytics' and hypertable_name = 'points'
                and time_interval <> make_interval(days => width)) then
    execute format('select %I.set_chunk_time_interval(%L::regclass, make_interval(days => $1))', pganalytics.timescaledb_schema(), 'pganalytics.points')
    using width;
  end if;
end
$$;

-- The first full hour from then on.
create function pganalytics.hour_from(then_on timestamptz) returns timestamptz language sql stable set search_path = pg_catalog as $$
  select date_bin('1 hour', then_on + interval '1 hour' - interval '1 microsecond', 'epoch')
$$;

-- Points of the collector, or (null) of all, are gone up to then: to the end of that hour, because a roll-up of an hour must not be made
-- of what is left of it.
create function pganalytics.note_forgotten(of_collector uuid, gone_until timestamptz) returns void language sql set search_path = pg_catalog as $$
  with before as (
    delete from pganalytics.forgotten_points where collector_id is not distinct from of_collector returning until
  )
  insert into pganalytics.forgotten_points
  select of_collector, greatest(pganalytics.hour_from(gone_until), (select max(until) from before))
$$;

create or replace function pganalytics.note_forgotten(of_collector uuid, partition text) returns void language sql set search_path = pg_catalog as $$
  select pganalytics.note_forgotten(of_collector, pganalytics.midnight(to_date(right(partition, 8), 'YYYYMMDD')))
$$;

-- As drop_partition(), but of a hypertable all chunks that are old enough.
create function pganalytics.drop_point_partition(days integer) returns text
language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  newest_end timestamptz;
  dropped text[];
begin
  if not pganalytics.points_are_hypertable() then
    return pganalytics.drop_partition('points', days);
  end if;
  select max(range_end) into newest_end from timescaledb_information.chunks
  where hypertable_schema = 'pganalytics' and hypertable_name = 'points' and range_end <= now() - make_interval(days => drop_point_partition.days);
  execute format('select array_agg(split_part(chunk, ''.'', 2)) from %I.drop_chunks(%L::regclass, older_than => now() - make_interval(days => $1)) chunk',
                 pganalytics.timescaledb_schema(), 'pganalytics.points') into dropped using days;
  delete from pganalytics.swept_partitions where partition = any (dropped);
  if dropped is not null then
    perform pganalytics.note_forgotten(null, newest_end);
  end if;
  return case when dropped is not null then cardinality(dropped) || ' chunks of points' end;
end
$$;

-- Points of collectors that keep less than others, chunk by chunk, a few hundred series at a time: so a compressed chunk loses whole
-- segments. For about three seconds, or so many rows; returns how many are gone.
create function pganalytics.sweep_chunks(most bigint) returns bigint language plpgsql set search_path = pg_catalog as $$
declare
  stop timestamptz := clock_timestamp() + interval '3 seconds';
  due record;
  of_series bigint[];
  gone bigint := 0;
  gone_now bigint;
begin
  perform set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);  -- no limit, in this transaction
  for due in
    select c.chunk_name, c.range_start, c.range_end, r.collector_id
    from timescaledb_information.chunks c
    join pganalytics.retention r on r.days < r.longest_days and c.range_end <= now() - make_interval(days => r.days)
    where c.hypertable_schema = 'pganalytics' and c.hypertable_name = 'points'
      and not exists (select from pganalytics.swept_partitions s where s.partition = c.chunk_name and s.collector_id = r.collector_id)
    order by c.range_end
  loop
    for of_series in
      select array_agg(id) from (
        select id, row_number() over (order by id) / 300 as part from pganalytics.series where collector_id = due.collector_id
      ) numbered group by part
    loop
      -- From the hypertable: a delete from the chunk itself does not see what is compressed in it.
      delete from pganalytics.points where time >= due.range_start and time < due.range_end and series_id = any (of_series);
      get diagnostics gone_now = row_count;
      gone := gone + gone_now;
      if gone_now > 0 then
        perform pganalytics.note_forgotten(due.collector_id, due.range_end);
      end if;
      if gone >= most or clock_timestamp() > stop then
        return gone;
      end if;
    end loop;
    insert into pganalytics.swept_partitions (partition, collector_id) values (due.chunk_name, due.collector_id);
  end loop;
  return gone;
end
$$;

-- Points that are older than they are kept and that no partition goes with: those that came so late that their day had none; of a
-- hypertable those of collectors that keep less than others. Whole hours, as roll-ups have them.
create function pganalytics.forget_points(most bigint) returns bigint language plpgsql set search_path = pg_catalog as $$
declare
  longest integer := (select coalesce(max(longest_days), 30) from pganalytics.retention);
  gone bigint;
  newest timestamptz;
begin
  if pganalytics.points_are_hypertable() then
    return pganalytics.sweep_chunks(most);
  end if;
  with gone_points as (
    delete from pganalytics.points_default
    where ctid = any(array(
      select ctid from pganalytics.points_default where time < date_bin('1 hour', now() - make_interval(days => longest), 'epoch') limit most
    ))
    returning time
  )
  select count(*), max(time) into gone, newest from gone_points;
  if gone > 0 then
    perform pganalytics.note_forgotten(null, newest + interval '1 microsecond');
  end if;
  return gone;
end
$$;

-- With indexes, and of a hypertable with what is compressed.
create function pganalytics.disk_bytes(of_table regclass) returns bigint language plpgsql stable set search_path = pg_catalog as $$
declare
  bytes bigint;
begin
  if of_table = 'pganalytics.points'::regclass and pganalytics.points_are_hypertable() then
    execute format('select %I.hypertable_size($1)', pganalytics.timescaledb_schema()) into bytes using of_table;
  else
    select sum(pg_total_relation_size(relid)) into bytes from pg_partition_tree(of_table);
  end if;
  return bytes;
end
$$;

-- How many of a hundred pages of a table come to about 64 MB.
create function pganalytics.sample_percent(table_bytes bigint) returns real language sql immutable set search_path = pg_catalog as $$
  select least(100, 6.4e9 / greatest(table_bytes, 1))::real
$$;

-- What each family has on the disk: the tables' sizes, divided as the rows of a sample are. So it costs about the same however large
-- they are, and the families come to all there is. A hypertable reads what is compressed as a whole, so that the sample there is of
-- its last day, and points are not counted (null).
drop function pganalytics.family_sizes();
create function pganalytics.family_sizes()
returns table (view text, plugin text, series bigint, points bigint, events bigint,
               point_bytes bigint, rollup_bytes bigint, event_bytes bigint, bytes bigint)
language sql stable set search_path = pg_catalog as $$
  with disk as materialized (
    select pganalytics.points_are_hypertable() as has_hypertable, pganalytics.disk_bytes('pganalytics.points') as points,
           pganalytics.disk_bytes('pganalytics.rollups') as rollups, pganalytics.disk_bytes('pganalytics.events') as events
  ), of_points as (
    select s.family_id, count(*) as rows, sum(pg_column_size(p.*) + 36) as bytes
    from pganalytics.points p tablesample system ((select pganalytics.sample_percent(points) from disk))
    join pganalytics.series s on s.id = p.series_id
    where p.time > case when (select has_hypertable from disk) then now() - interval '1 day' else '-infinity' end
    group by s.family_id
  ), of_rollups as (
    select s.family_id, sum(pg_column_size(r.*) + 44) as bytes
    from pganalytics.rollups r tablesample system ((select pganalytics.sample_percent(rollups) from disk))
    join pganalytics.series s on s.id = r.series_id
    group by s.family_id
  ), of_events as (
    select e.family_id, count(*) as rows, sum(pg_column_size(e.*) + 60) as bytes
    from pganalytics.events e tablesample system ((select pganalytics.sample_percent(events) from disk))
    group by e.family_id
  ), of_series as (
    select family_id, count(*) as series from pganalytics.series group by family_id
  ), divided as (
    select f.view, f.plugin, coalesce(s.series, 0) as series,
           case when not has_hypertable then (coalesce(p.rows, 0) * 100 / pganalytics.sample_percent(disk.points))::bigint end as points,
           (coalesce(e.rows, 0) * 100 / pganalytics.sample_percent(disk.events))::bigint as events,
           coalesce(disk.points * p.bytes / sum(p.bytes) over (), 0)::bigint as point_bytes,
           coalesce(disk.rollups * r.bytes / sum(r.bytes) over (), 0)::bigint as rollup_bytes,
           coalesce(disk.events * e.bytes / sum(e.bytes) over (), 0)::bigint as event_bytes
    from disk cross join pganalytics.families f
    left join of_series s on s.family_id = f.id
    left join of_points p on p.family_id = f.id
    left join of_rollups r on r.family_id = f.id
    left join of_events e on e.family_id = f.id
  )
  select view, plugin, series, points, events, point_bytes, rollup_bytes, event_bytes, point_bytes + rollup_bytes + event_bytes from divided
$$;
