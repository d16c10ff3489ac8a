-- Sessions and background processes, counted by what they do and wait for.
-- Scope: server
-- Rows: all
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role: without it only its own sessions tell what they do.
-- Cost: one pass over the backends.
SELECT a.backend_type AS backend_type, -- key: client backend, autovacuum worker, walsender...
       a.datname AS database, -- key: null: of none.
       a.state AS state, -- key: active, idle, idle in transaction...
       a.wait_event_type AS wait_event_type, -- key: What kind of thing is waited for; null: nothing.
       a.wait_event AS wait_event, -- key: What is waited for.
       count(*) AS processes, -- gauge {process}: How many.
       max(extract(epoch FROM clock_timestamp() - a.xact_start)) AS max_transaction_seconds, -- gauge num s: Age of the oldest transaction among them.
       max(CASE WHEN a.state = 'active' THEN extract(epoch FROM clock_timestamp() - a.query_start) END) AS max_query_seconds, -- gauge num s: ... of the oldest statement that runs.
       max(CASE WHEN a.state <> 'active' THEN extract(epoch FROM clock_timestamp() - a.state_change) END) AS max_idle_seconds, -- gauge num s: ... of the longest idleness.
       max(age(a.backend_xmin)) AS max_xmin_age -- gauge {transaction}: Age of the oldest snapshot.
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid <> pg_catalog.pg_backend_pid()
 GROUP BY 1, 2, 3, 4, 5
