-- What a standby receives and replays. Empty on a primary.
-- Scope: server
-- Rows: one
-- Every: 10s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role: without it the sender is not told.
-- Cost: constant.
SELECT r.status AS receiver_status, -- info: streaming, waiting...; null: there is no receiver.
       r.sender_host AS sender_host, -- info: Where the WAL comes from.
       r.sender_port AS sender_port, -- info int: Where the WAL comes from.
       r.slot_name AS slot_name, -- info: The slot at the sender.
       r.received_tli AS timeline, -- info int: Of what is received.
       extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time) AS message_seconds, -- gauge num s: Since the sender's last message.
       (r.latest_end_lsn - pg_catalog.pg_last_wal_receive_lsn())::int8 AS receive_lag_bytes, -- gauge By: Written by the sender, not received, as of its last message.
       (pg_catalog.pg_last_wal_receive_lsn() - pg_catalog.pg_last_wal_replay_lsn())::int8 AS replay_lag_bytes, -- gauge By: Received, not replayed.
       CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
       END AS replay_lag_seconds, -- gauge num s: Age of the last transaction that was replayed; 0 if there is nothing to replay.
       pg_catalog.pg_last_xact_replay_timestamp() AS last_transaction, -- info time: Its end, at the primary.
       pg_catalog.pg_is_wal_replay_paused() AS paused, -- gauge bool 1: Somebody has paused the replay.
       p.prefetch AS prefetched_blocks, -- counter {block} [15 pg_stat_recovery_prefetch.prefetch]: Blocks read ahead.
       p.hit AS prefetch_hits, -- counter {block} [15 pg_stat_recovery_prefetch.hit]: Blocks that were in memory already.
       p.stats_reset AS stats_reset -- epoch time [15 pg_stat_recovery_prefetch.stats_reset]: When these two counters last began at 0.
  FROM (SELECT 1 WHERE pg_catalog.pg_is_in_recovery()) AS standby
  LEFT JOIN pg_catalog.pg_stat_wal_receiver AS r ON true
  LEFT JOIN pg_catalog.pg_stat_recovery_prefetch AS p ON true -- if [pg_stat_recovery_prefetch]
