-- What is forwarded to others (docs/EXPORT.md, "From the server"): which pushes there are for it, and how far each destination is.

-- One row a push, in its transaction, while there is a destination (queries/collectors_pushed.sql). Pushes commit in another order
-- than they begin, so whoever reads by a number alone passes over those that are late. `xid` is the push's transaction: what is below
-- the oldest one that still runs, pg_snapshot_xmin(), is all there (https://www.postgresql.org/docs/14/functions-info.html, table
-- "Transaction ID and Snapshot Information Functions").
create table pganalytics.forwardable (
  xid          xid8 not null default pg_catalog.pg_current_xact_id(),
  id           bigint generated always as identity,
  collector_id uuid not null,
  received_at  timestamptz not null default now(),  -- as that of its documents
  documents    integer not null,
  primary key (xid, id)
);

-- A destination of a server's settings, by its name there. All of forwardable up to (xid, id) is done with.
create table pganalytics.forwards (
  name    text primary key,
  xid     xid8 not null,
  id      bigint not null,
  seen_at timestamptz not null default now()  -- a server was there for it; to the hour
);

-- Pushes that a destination refused once; all else of its forwardable goes on meanwhile.
create table pganalytics.forwards_held (
  name         text not null references pganalytics.forwards (name) on delete cascade,
  xid          xid8 not null,
  id           bigint not null,
  collector_id uuid not null,
  received_at  timestamptz not null,
  documents    integer not null,
  refused_at   timestamptz not null default clock_timestamp(),
  primary key (name, xid, id)
);

-- Deletes rows that no destination needs, `most` of them, and destinations that no server has had in its settings for a week.
create function pganalytics.forget_forwardable(most bigint) returns bigint language plpgsql set search_path = pg_catalog as $$
declare
  last_xid xid8;
  last_id bigint;
  gone bigint;
begin
  delete from pganalytics.forwards where seen_at < now() - interval '7 days';
  select xid, id into last_xid, last_id from pganalytics.forwards order by xid, id limit 1;
  delete from pganalytics.forwardable
  where ctid = any(array(
    select ctid from pganalytics.forwardable where last_xid is null or (xid, id) <= (last_xid, last_id) order by xid, id limit most
  ));
  get diagnostics gone = row_count;
  return gone;
end
$$;
