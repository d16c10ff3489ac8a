-- What documents say as rows (core/schema/families.h): families, the series of each collector, their points, and events.

-- Output schemas of plugins, as collectors sent them. Two plugins may have one text; the families of each are its own.
create table pganalytics.schemas (
  plugin      text not null,
  sha256      text not null,  -- hex, of the text
  schema      text not null,
  received_at timestamptz not null default now(),
  primary key (plugin, sha256)
);

-- A family of rows. `view` is what it is called in SQL, in the schema metrics.
create table pganalytics.families (
  id          integer generated always as identity primary key,
  plugin      text not null,
  name        text not null,
  description text not null default '',
  is_events   boolean not null,
  view        text not null unique,
  unique (plugin, name, is_events)
);

-- Its labels, fields and facts. A later version of the plugin adds members at the end; none ever moves, because rows know them by
-- their position. One that changes its role is another member.
create table pganalytics.family_members (
  family_id   integer not null references pganalytics.families (id),
  role        text not null check (role in ('label', 'field', 'fact')),
  position    integer not null check (position >= 1),
  name        text not null,
  kind        text not null default '' check (kind in ('', 'gauge', 'counter', 'updown')),  -- of a field
  unit        text not null default '',
  description text not null default '',
  ordinal     integer not null,  -- of the family's members of all roles, as they came: the view's columns in their order
  column_name text not null,     -- in the view
  primary key (family_id, role, position),
  unique (family_id, role, name),
  unique (family_id, ordinal),
  unique (family_id, column_name)
);

-- One row of a family of a collector: whatever has the same labels. They stand in the family's order; those it has none of are null,
-- and so are those behind the end. The digest tells them apart, because labels may be longer than an index takes.
create table pganalytics.series (
  id           bigint generated always as identity primary key,
  collector_id uuid not null references pganalytics.collectors (id),
  family_id    integer not null references pganalytics.families (id),
  labels       text[] not null,
  digest       bytea not null,   -- 16 bytes, of collector, family and labels
  facts        text[],           -- of the newest row that had any, in the family's order
  long_facts   bytea[],          -- where a fact is long: its text, by its digest
  facts_digest bytea,            -- 16 bytes, of all of them
  facts_at     timestamptz,      -- the time of that row
  created_at   timestamptz not null default now(),
  seen_at      timestamptz not null default now(),  -- to the day
  unique (family_id, collector_id, digest)
);
create index series_labels on pganalytics.series using gin (labels);
create index series_of_collector on pganalytics.series (collector_id);
create index series_seen on pganalytics.series (seen_at);
create index series_long_facts on pganalytics.series using gin (long_facts) where long_facts is not null;

-- Statements, definitions and other facts of more than 512 bytes: once each, whoever has them.
create table pganalytics.texts (
  digest  bytea primary key,  -- 16 bytes
  text    text not null,
  used_at timestamptz not null default now()  -- given again, or found in use; to the day
);
create index texts_used on pganalytics.texts (used_at);

-- The fields in the family's order; null where a row has none, and behind the end. A row that is as it was may not come again: it
-- holds until the next (pg_stats sends what changed).
create table pganalytics.points (
  time      timestamptz not null,
  series_id bigint not null,
  fields    float8[] not null
) partition by range (time);
create index points_series on pganalytics.points (series_id, time);
create table pganalytics.points_default partition of pganalytics.points default;
create index points_default_time on pganalytics.points_default (time);

create sequence pganalytics.event_id;
create table pganalytics.events (
  id           bigint not null default nextval('pganalytics.event_id'),
  time         timestamptz not null,
  collector_id uuid not null,
  family_id    integer not null,
  labels       text[] not null,
  event        jsonb not null
) partition by range (time);
alter sequence pganalytics.event_id owned by pganalytics.events.id;
create index events_newest on pganalytics.events (collector_id, time desc, id desc);
create table pganalytics.events_default partition of pganalytics.events default;
create index events_default_time on pganalytics.events_default (time);

-- Documents of a plugin that came with a schema which was not there: they are read when it is. They are those of the collector
-- and type that were received at that very time.
create table pganalytics.unread_documents (
  collector_id uuid not null,
  type         text not null,
  received_at  timestamptz not null,
  sha256       text not null,  -- of the schema
  primary key (received_at, collector_id, type)
);

-- Rows whose time is more than a day ahead, or before all that the collector keeps: counted, not stored.
alter table pganalytics.collectors add column rows_out_of_time bigint not null default 0;

-- What people read. A role needs usage of this schema and select on its views, and nothing of pganalytics.
create schema if not exists metrics;

-- A name that PostgreSQL takes and that is not among `taken`.
create function pganalytics.free_name(wanted text, taken text[]) returns text language plpgsql immutable set search_path = pg_catalog as $$
declare
  candidate text := wanted;
  count integer := 1;
begin
  if octet_length(wanted) > 63 then
    candidate := left(wanted, 54) || '_' || left(md5(wanted), 8);
  end if;
  while candidate = any(taken) loop
    count := count + 1;
    candidate := left(wanted, 50) || '_' || count;
  end loop;
  return candidate;
end
$$;

-- The family's own name if it is free, else with its plugin in front.
create function pganalytics.free_view_name(plugin text, family text) returns text language plpgsql set search_path = pg_catalog as $$
declare
  taken text[] := array(select view from pganalytics.families union all
                        select relname from pg_class where relnamespace = 'metrics'::regnamespace);
begin
  if family = any(taken) then
    return pganalytics.free_name(plugin || '_' || family, taken);
  end if;
  return pganalytics.free_name(family, taken);
end
$$;

-- A family as core/server/store/schemas.cpp describes it: what is new of it is added, its view made.
create function pganalytics.add_family(of_plugin text, described json) returns void
language plpgsql set search_path = pg_catalog as $$
declare
  of_family pganalytics.families;
  member record;
  last_ordinal integer;
  taken text[];
begin
  select * into of_family from pganalytics.families f
  where f.plugin = of_plugin and f.name = described ->> 'name' and f.is_events = (described ->> 'is_events')::boolean;
  if not found then
    insert into pganalytics.families (plugin, name, description, is_events, view)
    values (of_plugin, described ->> 'name', described ->> 'description', (described ->> 'is_events')::boolean,
            pganalytics.free_view_name(of_plugin, described ->> 'name'))
    returning * into of_family;
  end if;
  update pganalytics.families set description = described ->> 'description' where id = of_family.id;

  select coalesce(max(ordinal), 0), array['id', 'time', 'collector', 'collector_id', 'event'] || coalesce(array_agg(column_name), '{}')
  into last_ordinal, taken from pganalytics.family_members where family_id = of_family.id;
  for member in
    select * from json_to_recordset(described -> 'members') as m (role text, name text, kind text, unit text, description text)
  loop
    update pganalytics.family_members m set kind = member.kind, unit = member.unit, description = member.description
    where m.family_id = of_family.id and m.role = member.role and m.name = member.name;
    if found then
      continue;
    end if;
    last_ordinal := last_ordinal + 1;
    if last_ordinal > 1500 then  -- a view has at most 1664 columns
      raise exception 'family % would have more than 1500 members', of_family.name using errcode = 'too_many_columns';
    end if;
    insert into pganalytics.family_members (family_id, role, position, name, kind, unit, description, ordinal, column_name)
    select of_family.id, member.role, coalesce(max(m.position), 0) + 1, member.name, member.kind, member.unit, member.description,
           last_ordinal, pganalytics.free_name(case when member.name = any(taken) then member.name || '_' || member.role else member.name end, taken)
    from pganalytics.family_members m where m.family_id = of_family.id and m.role = member.role
    returning taken || column_name into taken;
  end loop;
  perform pganalytics.make_family_view(of_family.id);
end
$$;

-- The view of a family, with columns in the order in which its members came: a view may only grow at its end.
create function pganalytics.make_family_view(of_family_id integer) returns void language plpgsql set search_path = pg_catalog as $$
declare
  of_family pganalytics.families;
  has_fields boolean;
  columns text;
  source text;
  member record;
begin
  select * into of_family from pganalytics.families where id = of_family_id;
  select coalesce(bool_or(role = 'field'), false),
         coalesce(string_agg(', ' || case role
           when 'label' then format('s.labels[%s]', position)
           when 'field' then format('p.fields[%s]', position)
           else format('coalesce(s.facts[%1$s], (select t.text from pganalytics.texts t where t.digest = s.long_facts[%1$s]))', position)
         end || format(' as %I', column_name), '' order by ordinal), '')
  into has_fields, columns from pganalytics.family_members where family_id = of_family_id;

  source := case
    when of_family.is_events then format(
      'select s.id, s.time, c.name as collector, s.collector_id, s.event%s from pganalytics.events s '
      'join pganalytics.collectors c on c.id = s.collector_id where s.family_id = %s', columns, of_family_id)
    when has_fields then format(
      'select p.time, c.name as collector, s.collector_id%s from pganalytics.points p join pganalytics.series s on s.id = p.series_id '
      'join pganalytics.collectors c on c.id = s.collector_id where s.family_id = %s', columns, of_family_id)
    else format(
      'select s.facts_at as time, c.name as collector, s.collector_id%s from pganalytics.series s '
      'join pganalytics.collectors c on c.id = s.collector_id where s.family_id = %s and s.facts_at is not null', columns, of_family_id)
  end;
  execute format('create or replace view metrics.%I as %s', of_family.view, source);
  execute format('comment on view metrics.%I is %L', of_family.view, of_family.description);
  for member in
    select m.column_name, concat_ws(' ', nullif(m.description, ''), '(' || nullif(concat_ws(', ', nullif(m.kind, ''), nullif(m.unit, '')), '') || ')') as says
    from pganalytics.family_members m where m.family_id = of_family_id
  loop
    execute format('comment on column metrics.%I.%I is %L', of_family.view, member.column_name, member.says);
  end loop;
end
$$;

-- Partitions of any table of ours: <table>_until_<day>, the day, in UTC, that it ends before. Documents have theirs since 0006.
create view pganalytics.partitions as
select p.relname as parent, c.relname as name, to_date(substring(c.relname from '_until_(\d{8})$'), 'YYYYMMDD') as until
from pg_catalog.pg_inherits i
join pg_catalog.pg_class c on c.oid = i.inhrelid
join pg_catalog.pg_class p on p.oid = i.inhparent
where p.relnamespace = 'pganalytics'::regnamespace and c.relname ~ ('^' || p.relname || '_until_\d{8}$');

create function pganalytics.add_partition(of_table text, since date, until date) returns void
language plpgsql set search_path = pg_catalog as $$
declare
  partition text := of_table || '_until_' || to_char(until, 'YYYYMMDD');
begin
  execute format('create table pganalytics.%I (like pganalytics.%I including defaults)', partition, of_table);
  execute format('alter table pganalytics.%I attach partition pganalytics.%I for values from (%L) to (%L)', of_table, partition,
                 pganalytics.midnight(since), pganalytics.midnight(until));
end
$$;

-- For the next days, each partition `width` days wide; the first ones from so many days back on. `key`: the column of the time.
-- Whoever comes second finds nothing to do.
create function pganalytics.make_partitions(of_table text, key text, days_back integer, days_ahead integer, width integer)
returns void language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  today date := (now() at time zone 'UTC')::date;
  day date;
begin
  perform pg_advisory_xact_lock(8443150004);
  select case when max(until) is null then today - days_back else greatest(today, max(until)) end into day
  from pganalytics.partitions where parent = of_table;
  -- What came while there was none stays in the default partition: a day has one place.
  execute format('select greatest($1, (max(%1$I) at time zone ''UTC'')::date + 1) from pganalytics.%2$I where %1$I >= $2',
                 key, of_table || '_default') into day using day, pganalytics.midnight(day);
  while day < today + days_ahead loop
    perform pganalytics.add_partition(of_table, day, day + width);
    day := day + width;
  end loop;
end
$$;

-- Drops the oldest partition if all in it is older than so many days, and returns its name.
create function pganalytics.drop_partition(of_table text, days integer)
returns text language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  dropped text;
begin
  select name into dropped from pganalytics.partitions
  where parent = of_table and pganalytics.midnight(until) <= now() - make_interval(days => days) order by until limit 1;
  if dropped is not null then
    execute format('drop table pganalytics.%I', dropped);
    delete from pganalytics.swept_partitions s where s.partition = dropped;
  end if;
  return dropped;
end
$$;

-- Documents have theirs in the same way; their functions of 0006 remain as names.
create or replace view pganalytics.document_partitions as select name, until from pganalytics.partitions where parent = 'documents';
create or replace function pganalytics.add_document_partition(since date, until date) returns void language sql set search_path = pg_catalog as $$
  select pganalytics.add_partition('documents', since, until)
$$;
create or replace function pganalytics.make_document_partitions(days_ahead integer, width integer)
returns void language sql set search_path = pg_catalog as $$
  select pganalytics.make_partitions('documents', 'received_at', 0, days_ahead, width)
$$;
drop function pganalytics.drop_document_partition(integer);
drop function pganalytics.attach_document_partition(text, date, date);

-- Partitions in which nothing is left of a collector that keeps less than others.
create table pganalytics.swept_partitions (
  partition    text not null,
  collector_id uuid not null,
  primary key (partition, collector_id)
);

-- Deletes at most so many rows of a collector from a partition of points or events, all of which are older than it keeps, and returns
-- how many. With less than that nothing is left, and the partition is not looked at again.
create function pganalytics.sweep_partition(partition text, of_collector uuid, most integer) returns bigint
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
  return gone;
end
$$;

-- As pganalytics.retention, of documents: those may be kept for less than what is made of them. null: for as long.
create function pganalytics.document_retention(raw_days integer)
returns table (collector_id uuid, longest_days integer, forget_after_days integer) language sql stable set search_path = pg_catalog as $$
  select kept.collector_id, kept.longest, case when kept.days < kept.longest then kept.days else kept.days + greatest(1, kept.days / 60) + 1 end
  from (select r.collector_id, least(r.days, raw_days) as days, least(r.longest_days, raw_days) as longest from pganalytics.retention r) kept
$$;

-- What each family has and about what it takes, by a hundredth of the points' pages and all of what is small.
create function pganalytics.family_sizes()
returns table (view text, series bigint, points bigint, events bigint, bytes bigint) language sql stable set search_path = pg_catalog as $$
  with percent as (
    select case when sum(pg_total_relation_size(inhrelid)) > 64000000 then 1.0 else 100.0 end as of_pages
    from pg_inherits where inhparent in ('pganalytics.points'::regclass, 'pganalytics.events'::regclass)
  ), sampled_points as (
    select s.family_id, count(*) as rows, sum(pg_column_size(p.*) + 36) as bytes
    from pganalytics.points p tablesample system ((select of_pages from percent)) join pganalytics.series s on s.id = p.series_id
    group by s.family_id
  ), sampled_events as (
    select e.family_id, count(*) as rows, sum(pg_column_size(e.*) + 60) as bytes
    from pganalytics.events e tablesample system ((select of_pages from percent)) group by e.family_id
  ), of_family as (
    select family_id, count(*) as series from pganalytics.series group by family_id
  )
  select f.view, coalesce(o.series, 0), (coalesce(p.rows, 0) * 100 / of_pages)::bigint, (coalesce(e.rows, 0) * 100 / of_pages)::bigint,
         ((coalesce(p.bytes, 0) + coalesce(e.bytes, 0)) * 100 / of_pages)::bigint
  from percent cross join pganalytics.families f
  left join of_family o on o.family_id = f.id
  left join sampled_points p on p.family_id = f.id
  left join sampled_events e on e.family_id = f.id
$$;
