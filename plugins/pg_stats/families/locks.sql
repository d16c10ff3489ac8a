-- Who waits for a lock, and who is at the root of it. Empty while nobody waits.
-- Scope: server
-- Rows: all
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one look at the lock table; more only while somebody waits. At most 200 waiters.
WITH RECURSIVE waiting AS MATERIALIZED (
  SELECT l.pid, l.locktype, l.mode, l.relation, l.database, l.transactionid, l.waitstart, pg_catalog.pg_blocking_pids(l.pid) AS blockers
    FROM pg_catalog.pg_locks AS l
   WHERE NOT l.granted
   LIMIT 200
), chain AS (
  SELECT w.pid AS waiter, b.pid AS blocker, 1 AS depth FROM waiting AS w, unnest(w.blockers) AS b (pid)
  UNION
  SELECT c.waiter, b.pid, c.depth + 1 FROM chain AS c JOIN waiting AS w ON w.pid = c.blocker, unnest(w.blockers) AS b (pid) WHERE c.depth < 20
), root AS (
  SELECT c.waiter, min(c.blocker) AS pid, max(c.depth) AS depth
    FROM chain AS c
   WHERE c.blocker NOT IN (SELECT w.pid FROM waiting AS w)
   GROUP BY c.waiter
)
SELECT w.pid AS pid, -- key int: Of the backend that waits.
       a.datname AS database, -- label: Its database.
       a.usename AS "user", -- label: Its user.
       a.application_name AS application, -- info: What it calls itself.
       w.locktype AS lock_type, -- info: relation, transactionid, tuple...
       w.mode AS mode, -- info: The mode that it wants.
       w.relation::int8 AS relation_oid, -- info int: Of the relation, in its database.
       a.query_id::text AS query_id, -- info: Of its statement, if compute_query_id is on.
       extract(epoch FROM clock_timestamp() - w.waitstart) AS wait_seconds, -- gauge num s: How long it has waited.
       array_to_string(w.blockers, ',') AS blockers, -- info: Pids of those that it waits for.
       r.pid AS root_pid, -- info int: Of a backend that blocks it and waits for nobody itself; null in a deadlock.
       r.depth AS depth, -- gauge {backend}: Backends between it and the farthest root.
       b.state AS root_state, -- info: What the root does: "idle in transaction" is the usual culprit.
       b.usename AS root_user, -- info: The root's user.
       b.application_name AS root_application, -- info: What the root calls itself.
       b.query_id::text AS root_query_id, -- info: Of the root's last statement.
       extract(epoch FROM clock_timestamp() - b.xact_start) AS root_transaction_seconds -- gauge num s: Age of the root's transaction.
  FROM waiting AS w
  LEFT JOIN root AS r ON r.waiter = w.pid
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = w.pid
  LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = r.pid
