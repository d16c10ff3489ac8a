-- Logical subscriptions of all databases: how far they are, and what went wrong.
-- Scope: server
-- Rows: all
-- Every: 30s
-- Grants: none
-- Cost: one row per subscription and worker.
SELECT s.subid::int8 AS oid, -- key int: Of the subscription.
       s.pid AS pid, -- key int: Of its worker; null: it does not run.
       s.subname AS name, -- label: Name of the subscription.
       s.relid::int8 AS relation_oid, -- info int: Of the table that a worker copies; null: it applies changes.
       s.worker_type AS worker_type, -- info [17 pg_stat_subscription.worker_type]: apply, parallel apply, table synchronization.
       (s.latest_end_lsn - s.received_lsn)::int8 AS lag_bytes, -- gauge By: Known to the publisher, not received.
       extract(epoch FROM clock_timestamp() - s.last_msg_receipt_time) AS message_seconds, -- gauge num s: Since the last message of the publisher.
       t.apply_error_count AS apply_errors, -- counter {error} [15 pg_stat_subscription_stats.apply_error_count]: Changes that could not be applied.
       t.sync_error_count AS sync_errors, -- counter {error} [15 pg_stat_subscription_stats.sync_error_count]: First copies that failed.
       t.confl_insert_exists AS conflicts_insert_exists, -- counter {conflict} [18 pg_stat_subscription_stats.confl_insert_exists]: Rows that were there already.
       t.confl_update_origin_differs AS conflicts_update_origin, -- counter {conflict} [18 pg_stat_subscription_stats.confl_update_origin_differs]: Updated rows changed by another origin.
       t.confl_update_exists AS conflicts_update_exists, -- counter {conflict} [18 pg_stat_subscription_stats.confl_update_exists]: Updates to a key that was there already.
       t.confl_update_missing AS conflicts_update_missing, -- counter {conflict} [18 pg_stat_subscription_stats.confl_update_missing]: Rows to update that were not there.
       t.confl_delete_origin_differs AS conflicts_delete_origin, -- counter {conflict} [18 pg_stat_subscription_stats.confl_delete_origin_differs]: Deleted rows changed by another origin.
       t.confl_delete_missing AS conflicts_delete_missing, -- counter {conflict} [18 pg_stat_subscription_stats.confl_delete_missing]: Rows to delete that were not there.
       t.stats_reset AS stats_reset -- epoch time [15 pg_stat_subscription_stats.stats_reset]: When these counters last began at 0.
  FROM pg_catalog.pg_stat_subscription AS s
  LEFT JOIN pg_catalog.pg_stat_subscription_stats AS t ON t.subid = s.subid -- if [pg_stat_subscription_stats]
