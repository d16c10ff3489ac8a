-- Replication slots: what they keep and how safe they are.
-- Scope: server
-- Rows: all
-- Every: 30s
-- Grants: none
-- Cost: one row per slot.
SELECT s.slot_name AS name, -- key: Name of the slot.
       s.slot_type AS type, -- info: physical or logical.
       s.plugin AS plugin, -- info: Output plugin of a logical one.
       s.database AS database, -- label: Of a logical one.
       s.temporary AS temporary, -- info bool: It ends with its session.
       s.active AS active, -- gauge bool 1: Somebody reads from it.
       s.active_pid AS active_pid, -- info int: Who.
       s.wal_status AS wal_status, -- info: reserved, extended, unreserved, lost.
       (w.lsn - s.restart_lsn)::int8 AS retained_bytes, -- gauge By: WAL that is kept because of it.
       s.safe_wal_size AS safe_wal_bytes, -- gauge By: WAL that can be written before it is in danger; null: no limit.
       (w.lsn - s.confirmed_flush_lsn)::int8 AS unconfirmed_bytes, -- gauge By: Not confirmed by the reader of a logical one.
       age(s.xmin) AS xmin_age, -- gauge {transaction}: What it holds back.
       age(s.catalog_xmin) AS catalog_xmin_age, -- gauge {transaction}: What it holds back in catalogs.
       s.two_phase AS two_phase, -- info bool: It decodes prepared transactions.
       s.conflicting AS conflicting, -- gauge bool 1 [16 pg_replication_slots.conflicting]: It was invalidated by recovery.
       s.invalidation_reason AS invalidation_reason, -- info [17 pg_replication_slots.invalidation_reason]: Why it is of no use any more.
       s.inactive_since AS inactive_since, -- info time [17 pg_replication_slots.inactive_since]: Since when nobody reads from it.
       s.failover AS failover, -- info bool [17 pg_replication_slots.failover]: It is kept on standbys, too.
       s.synced AS synced, -- info bool [17 pg_replication_slots.synced]: It is such a copy.
       d.spill_txns AS spilled_transactions, -- counter {transaction}: Decoded transactions that went to disk.
       d.spill_count AS spills, -- counter {spill}: How often they did.
       d.spill_bytes AS spilled_bytes, -- counter By: How much.
       d.stream_txns AS streamed_transactions, -- counter {transaction}: Streamed before their end.
       d.stream_count AS streams, -- counter {stream}: How often.
       d.stream_bytes AS streamed_bytes, -- counter By: How much.
       d.total_txns AS total_transactions, -- counter {transaction}: Decoded.
       d.total_bytes AS total_bytes, -- counter By: Decoded.
       d.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_replication_slots AS s
  LEFT JOIN pg_catalog.pg_stat_replication_slots AS d ON d.slot_name = s.slot_name
 CROSS JOIN (
    SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN coalesce(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
                ELSE pg_catalog.pg_current_wal_lsn() END AS lsn
  ) AS w
