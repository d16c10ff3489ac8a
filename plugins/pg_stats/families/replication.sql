-- Those that this server sends its WAL to.
-- Scope: server
-- Rows: all
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one row per walsender.
SELECT r.pid AS pid, -- key int: Of the walsender.
       r.application_name AS application, -- label: What the receiver calls itself.
       r.client_addr::text AS client_address, -- label: Where it is; null: a Unix socket.
       r.usename AS "user", -- info: As whom it connected.
       r.state AS state, -- info: startup, catchup, streaming, backup, stopping.
       r.sync_state AS sync_state, -- info: async, potential, sync, quorum.
       r.sync_priority AS sync_priority, -- info int: 0: asynchronous.
       r.backend_start AS backend_start, -- info time: When it connected.
       age(r.backend_xmin) AS xmin_age, -- gauge {transaction}: What its feedback holds back.
       (w.lsn - r.sent_lsn)::int8 AS pending_bytes, -- gauge By: Not sent yet.
       (r.sent_lsn - r.write_lsn)::int8 AS write_lag_bytes, -- gauge By: Sent, not written there.
       (r.write_lsn - r.flush_lsn)::int8 AS flush_lag_bytes, -- gauge By: Written, not durable there.
       (r.flush_lsn - r.replay_lsn)::int8 AS replay_lag_bytes, -- gauge By: Durable, not replayed there.
       (w.lsn - r.replay_lsn)::int8 AS total_lag_bytes, -- gauge By: All of it.
       extract(epoch FROM r.write_lag) AS write_lag_seconds, -- gauge num s: Until written there; null while there is nothing to send.
       extract(epoch FROM r.flush_lag) AS flush_lag_seconds, -- gauge num s: Until durable there.
       extract(epoch FROM r.replay_lag) AS replay_lag_seconds, -- gauge num s: Until visible there.
       extract(epoch FROM clock_timestamp() - r.reply_time) AS reply_seconds -- gauge num s: Since its last message.
  FROM pg_catalog.pg_stat_replication AS r
 CROSS JOIN (
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN coalesce(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
                ELSE pg_catalog.pg_current_wal_lsn() END AS lsn
  ) AS w
