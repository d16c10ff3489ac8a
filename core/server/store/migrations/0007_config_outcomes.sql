-- Which bad ends of which version are in the audit log: a collector that says the same in other words is not news again.
create table pganalytics.config_outcomes (
  collector_id uuid not null references pganalytics.collectors (id),
  version      bigint not null,
  state        text not null check (state in ('rejected', 'reverted')),
  primary key (collector_id, version, state)
);
