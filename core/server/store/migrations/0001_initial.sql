-- Collectors, their credentials, what they push, what they are told, and who did what.
create table pganalytics.collectors (
  id           uuid primary key,
  name         text not null,
  hostname     text not null,
  version      text not null default '',
  created_at   timestamptz not null default now(),
  last_push_at timestamptz,
  batches      bigint not null default 0,
  documents    bigint not null default 0,
  revoked_at   timestamptz
);

create table pganalytics.registration_tokens (
  token_sha256  text primary key,
  uses_left     integer not null check (uses_left >= 0),
  expires_at    timestamptz not null,
  hostname_glob text not null,
  created_at    timestamptz not null default now()
);

-- Remembers answered enrolments, so that the same request after a lost answer gets the same collector.
create table pganalytics.enrolments (
  enrollment_id     text primary key,
  token_sha256      text not null,
  public_key_sha256 text not null,
  collector_id      uuid not null references pganalytics.collectors (id),
  enrolled_at       timestamptz not null default now()
);

create table pganalytics.api_keys (
  key_sha256 text primary key,
  role       text not null check (role in ('viewer', 'operator', 'admin')),
  created_at timestamptz not null default now()
);

-- One row per push that was stored: the primary key is what makes a push happen once.
create table pganalytics.batches (
  collector_id  uuid not null references pganalytics.collectors (id),
  epoch         text not null,
  seq           bigint not null,
  digest_sha256 text not null,
  accepted      integer not null,
  rejected      integer not null,
  received_at   timestamptz not null default now(),
  primary key (collector_id, epoch, seq)
);
create index batches_received on pganalytics.batches using brin (received_at);

-- json, not jsonb: the text is kept as it came, numbers with all their digits.
create table pganalytics.documents (
  id           bigint generated always as identity primary key,
  collector_id uuid not null,
  type         text not null,
  ts           timestamptz not null,
  received_at  timestamptz not null default now(),
  epoch        text not null,
  seq          bigint not null,
  index        integer not null,
  document     json not null
);
create index documents_newest on pganalytics.documents (collector_id, ts desc, id desc);
create index documents_received on pganalytics.documents using brin (received_at);
create index documents_newest_of_type on pganalytics.documents (collector_id, type, ts desc, id desc);

create table pganalytics.configs (
  collector_id uuid not null references pganalytics.collectors (id),
  version      bigint not null,
  document     json not null,
  created_at   timestamptz not null default now(),
  primary key (collector_id, version)
);

create table pganalytics.audit (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  actor   text not null,
  action  text not null,
  subject text not null,
  detail  json not null
);
