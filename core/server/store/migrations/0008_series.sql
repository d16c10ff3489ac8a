-- What documents say as rows (core/schema/families.h): families, the series of each collector, their points, and events.

-- Output schemas of plugins, as collectors sent them.
create table pganalytics.schemas (
  sha256      text primary key,  -- hex, of the text
  plugin      text not null,
  schema      json not null,
  received_at timestamptz not null default now()
);

-- A family of rows. `view` is what it is called in SQL, in the schema metrics.
create table pganalytics.families (
  id          integer generated always as identity primary key,
  plugin      text not null,
  name        text not null,
  description text not null default '',
  is_events   boolean not null,
  view        text not null unique,
  unique (plugin, name)
);

-- Its labels, fields and facts. A later version of the plugin adds members at the end; none ever moves, because rows know them by
-- their position.
create table pganalytics.family_members (
  family_id   integer not null references pganalytics.families (id),
  role        text not null check (role in ('label', 'field', 'fact')),
  position    integer not null check (position >= 1),
  name        text not null,
  kind        text not null default '' check (kind in ('', 'gauge', 'counter', 'updown')),  -- of a field
  unit        text not null default '',
  description text not null default '',
  primary key (family_id, role, position),
  unique (family_id, role, name)
);

-- One row of a family of a collector: whatever has the same labels. They stand in the family's order; those it has none of are null,
-- and so are those behind the end. The digest tells them apart, because labels may be longer than an index takes.
create table pganalytics.series (
  id           bigint generated always as identity primary key,
  collector_id uuid not null references pganalytics.collectors (id),
  family_id    integer not null references pganalytics.families (id),
  labels       text[] not null,
  digest       bytea not null,  -- 16 bytes, of the labels
  facts        text[],          -- the newest of each, in the family's order
  created_at   timestamptz not null default now(),
  seen_at      timestamptz not null default now(),  -- to the day
  unique (family_id, collector_id, digest)
);
create index series_labels on pganalytics.series using gin (labels);

-- The fields in the family's order; null where a row has none, and behind the end. A row that is as it was may not come again: it
-- holds until the next (pg_stats sends what changed).
create table pganalytics.points (
  time      timestamptz not null,
  series_id bigint not null,
  fields    float8[] not null
) partition by range (time);
create index points_series on pganalytics.points (series_id, time);
create table pganalytics.points_default partition of pganalytics.points default;

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
