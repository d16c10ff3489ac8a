-- Documents lie in partitions by the time at which they were received, so that old ones go by dropping a table and not row by row
-- (docs/decisions/008). A partition is called documents_until_<day>: the day, in UTC, that it ends before.
alter table pganalytics.documents rename to documents_before;
create sequence pganalytics.document_id;
select setval('pganalytics.document_id', coalesce(max(id), 0) + 1, false) from pganalytics.documents_before;
alter table pganalytics.documents_before alter column id drop identity, drop constraint documents_pkey;
alter index pganalytics.documents_newest rename to documents_before_newest;
alter index pganalytics.documents_newest_of_type rename to documents_before_newest_of_type;
drop index pganalytics.documents_received;

create table pganalytics.documents (
  id           bigint not null default nextval('pganalytics.document_id'),
  collector_id uuid not null,
  type         text not null,
  ts           timestamptz not null,
  received_at  timestamptz not null default now(),
  epoch        text not null,
  seq          bigint not null,
  index        integer not null,
  document     json not null,
  part         text not null default ''
) partition by range (received_at);
alter sequence pganalytics.document_id owned by pganalytics.documents.id;
create index documents_newest on pganalytics.documents (collector_id, ts desc, id desc);
create index documents_newest_of_type on pganalytics.documents (collector_id, type, ts desc, id desc);
create index documents_received on pganalytics.documents (collector_id, received_at);
-- No push fails because its day has no partition.
create table pganalytics.documents_default partition of pganalytics.documents default;

create view pganalytics.document_partitions as
select c.relname as name, to_date(right(c.relname, 8), 'YYYYMMDD') as until
from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
where i.inhparent = 'pganalytics.documents'::regclass and c.relname ~ '^documents_until_\d{8}$';

create function pganalytics.midnight(day date) returns timestamptz language sql immutable set search_path = pg_catalog as $$
  select day::timestamp at time zone 'UTC'
$$;

-- since null: from the beginning of time.
create function pganalytics.attach_document_partition(partition text, since date, until date)
returns void language plpgsql set search_path = pg_catalog as $$
begin
  execute format('alter table pganalytics.documents attach partition pganalytics.%I for values from (%s) to (%L)', partition,
                 case when since is null then 'minvalue' else quote_literal(pganalytics.midnight(since)) end, pganalytics.midnight(until));
end
$$;

create function pganalytics.add_document_partition(since date, until date) returns void language plpgsql set search_path = pg_catalog as $$
declare
  partition text := 'documents_until_' || to_char(until, 'YYYYMMDD');
begin
  execute format('create table pganalytics.%I (like pganalytics.documents including defaults)', partition);
  perform pganalytics.attach_document_partition(partition, since, until);
end
$$;

-- For the next days, each partition `width` days wide. Whoever comes second finds nothing to do.
create function pganalytics.make_document_partitions(days_ahead integer, width integer)
returns void language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  today date := (now() at time zone 'UTC')::date;
  day date;
begin
  perform pg_advisory_xact_lock(8443150004);
  select greatest(today, max(until)) into day from pganalytics.document_partitions;
  -- What came while there was none stays in the default partition: a day has one place.
  select greatest(day, (max(received_at) at time zone 'UTC')::date + 1) into day
  from pganalytics.documents_default where received_at >= pganalytics.midnight(day);
  while day < today + days_ahead loop
    perform pganalytics.add_document_partition(day, day + width);
    day := day + width;
  end loop;
end
$$;

-- Drops the oldest partition if all in it is older than so many days, and returns its name.
create function pganalytics.drop_document_partition(days integer)
returns text language plpgsql set search_path = pg_catalog set lock_timeout = '2s' as $$
declare
  partition text;
begin
  select name into partition from pganalytics.document_partitions
  where pganalytics.midnight(until) <= now() - make_interval(days => days) order by until limit 1;
  if partition is not null then
    execute format('drop table pganalytics.%I', partition);
  end if;
  return partition;
end
$$;

-- What is there becomes the first partition as it lies: nothing is copied.
do $$
declare
  newest timestamptz := (select max(received_at) from pganalytics.documents_before);
  until date := (greatest(newest, now()) at time zone 'UTC')::date + 1;
  partition text := 'documents_until_' || to_char(until, 'YYYYMMDD');
begin
  if newest is null then
    drop table pganalytics.documents_before;
    return;
  end if;
  execute format('alter table pganalytics.documents_before rename to %I', partition);
  perform pganalytics.attach_document_partition(partition, null, until);
end
$$;

-- How long each collector's documents are kept: its newest configuration says so, 30 days otherwise. Those with the longest time of
-- all go with their partition, which is up to `width` days later; `forget_after_days` is when rows go one by one.
create view pganalytics.retention as
with kept as (
  select c.id as collector_id, coalesce(newest.days, 30) as days
  from pganalytics.collectors c
  left join lateral (
    select (document ->> 'retention_days')::integer as days
    from pganalytics.configs where collector_id = c.id order by version desc limit 1
  ) newest on true
), longest as (
  select coalesce(max(days), 30) as days from kept
)
select kept.collector_id, kept.days, longest.days as longest_days,
       case when kept.days < longest.days then kept.days else kept.days + greatest(1, kept.days / 60) + 1 end as forget_after_days
from kept cross join longest;

-- The oldest batches are found without looking at the others, however often their pages were used again.
drop index pganalytics.batches_received;
create index batches_received on pganalytics.batches (received_at);
