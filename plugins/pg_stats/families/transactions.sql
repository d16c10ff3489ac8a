-- The sessions with the oldest transactions and statements: up to 20.
-- Scope: server
-- Rows: all
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one pass over the backends.
SELECT a.pid AS pid, -- key int: Of the backend.
       a.datname AS database, -- label: Its database.
       a.usename AS "user", -- label: Its user.
       a.application_name AS application, -- info: What it calls itself.
       a.client_addr::text AS client_address, -- info: null: a Unix socket, or a process of the server's.
       a.backend_type AS backend_type, -- info: client backend, parallel worker...
       a.state AS state, -- info: active, idle in transaction...
       a.wait_event_type AS wait_event_type, -- info: What kind of thing it waits for.
       a.wait_event AS wait_event, -- info: What it waits for.
       a.query_id::text AS query_id, -- info: Of its last statement, if compute_query_id is on. A text, since it identifies.
       a.leader_pid AS leader_pid, -- info int: Of a parallel worker: its leader.
       a.backend_start AS backend_start, -- info time: When it began.
       a.xact_start AS transaction_start, -- info time: When its transaction began.
       a.query_start AS query_start, -- info time: When its last statement began.
       a.state_change AS state_change, -- info time: Since when it is in that state.
       extract(epoch FROM clock_timestamp() - a.xact_start) AS transaction_seconds, -- gauge num s: Age of its transaction.
       age(a.backend_xid) AS xid_age, -- gauge {transaction}: Age of its transaction id.
       age(a.backend_xmin) AS xmin_age -- gauge {transaction}: Age of its snapshot.
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid <> pg_catalog.pg_backend_pid() AND a.xact_start IS NOT NULL
 ORDER BY a.xact_start
 LIMIT 20
