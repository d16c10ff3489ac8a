-- What each collector made of the newest configuration that it was given, in its own words.
create table pganalytics.config_status (
  collector_id uuid primary key references pganalytics.collectors (id),
  version      bigint not null check (version >= 0),
  state        text not null check (state in ('applied', 'probation', 'rejected', 'reverted')),
  reason       text not null,
  at           timestamptz not null default now()
);
