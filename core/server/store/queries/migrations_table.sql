/* pganalytics-server:migrations_table */
create schema if not exists pganalytics;
create table if not exists pganalytics.migrations (
  version    integer primary key,
  name       text not null,
  applied_at timestamptz not null default now()
)
