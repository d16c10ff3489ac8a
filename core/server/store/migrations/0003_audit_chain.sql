-- Each row of the audit log carries the hash of the one before it, so that a change or a hole shows: pganalytics-server audit verify.
-- The hash is SHA-256, in hex, of the fields as netstrings ("<bytes>:<text>,") in the order of audit_row_hash's parameters.
alter table pganalytics.audit alter column id drop identity;
alter table pganalytics.audit
  add column address       text not null default '',
  add column previous_hash text not null default '',
  add column hash          text not null default '';

create function pganalytics.audit_row_hash(previous_hash text, id bigint, at timestamptz, actor text, action text, subject text, address text, detail text)
returns text language sql stable set search_path = pg_catalog as $$
  select encode(sha256(convert_to(string_agg(octet_length(field)::text || ':' || field || ',', '' order by place), 'UTF8')), 'hex')
  from unnest(array[previous_hash, id::text, (extract(epoch from at) * 1000000)::bigint::text, actor, action, subject, address, detail])
       with ordinality as fields (field, place)
$$;

-- Rows of before are linked as they lie.
do $$
declare
  entry record;
  last_hash text := '';
begin
  for entry in select * from pganalytics.audit order by id loop
    update pganalytics.audit
    set previous_hash = last_hash,
        hash = pganalytics.audit_row_hash(last_hash, entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.address, entry.detail::text)
    where id = entry.id
    returning hash into last_hash;
  end loop;
end
$$;

-- Writers take turns until their commit, whichever server they are: one chain, numbered without holes.
create function pganalytics.audit_link() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
  last record;
begin
  perform pg_advisory_xact_lock(8443150002);
  select a.id, a.hash into last from pganalytics.audit as a order by a.id desc limit 1;
  new.id := coalesce(last.id, 0) + 1;
  new.at := clock_timestamp();
  new.previous_hash := coalesce(last.hash, '');
  new.hash := pganalytics.audit_row_hash(new.previous_hash, new.id, new.at, new.actor, new.action, new.subject, new.address, new.detail::text);
  return new;
end
$$;
create trigger audit_link before insert on pganalytics.audit for each row execute function pganalytics.audit_link();

create function pganalytics.audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log only grows' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_only_grows before update or delete on pganalytics.audit for each row execute function pganalytics.audit_refuse();
create trigger audit_stays before truncate on pganalytics.audit for each statement execute function pganalytics.audit_refuse();

-- Who was revoked since the last look: asked once a second.
create index collectors_revoked on pganalytics.collectors (revoked_at) where revoked_at is not null;
