-- Certificates by name, so that one that was replaced is refused; ids for tokens and API keys, so that they can be listed and
-- revoked without saying them.
create table pganalytics.certificates (
  thumbprint        text primary key,
  collector_id      uuid not null references pganalytics.collectors (id),
  public_key_sha256 text not null,
  key_origin        text not null check (key_origin in ('collector', 'server')),
  ca_pin            text not null,                   -- of the CA that signed it
  late              boolean not null,                -- given to a certificate that was over
  pem               text not null,
  not_before        timestamptz not null,
  not_after         timestamptz not null,
  issued_at         timestamptz not null default now(),
  first_used_at     timestamptz,
  superseded_at     timestamptz,                     -- another one was used for the first time
  refused_at        timestamptz                      -- and this one came after that
);
create index certificates_of_collector on pganalytics.certificates (collector_id);
-- One certificate of a collector is in force at a time, whatever happens at once.
create unique index certificate_in_force on pganalytics.certificates (collector_id)
  where first_used_at is not null and superseded_at is null;

alter table pganalytics.collectors
  add late_renewals integer not null default 0,      -- in a row, without one in time between them
  add ca_etag text not null default '';              -- the CA bundle that it said it has

alter table pganalytics.registration_tokens
  add id bigint generated always as identity,
  add uses integer not null default 1,
  add revoked_at timestamptz;

alter table pganalytics.api_keys
  add id bigint generated always as identity,
  add label text not null default '',
  add revoked_at timestamptz;
