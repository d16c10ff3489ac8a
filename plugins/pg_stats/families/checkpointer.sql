-- Background writer and checkpointer, as one record over the majors.
-- Scope: server
-- Rows: one
-- Every: 60s
-- Grants: none
-- Cost: constant.
SELECT b.buffers_clean AS buffers_clean, -- counter {buffer}: Written by the background writer.
       c.num_timed AS checkpoints_timed, -- counter {checkpoint} [17 pg_stat_checkpointer.num_timed]: Because of the time; from 17 on with those that were skipped.
       -- or b.checkpoints_timed AS checkpoints_timed, [pg_stat_bgwriter.checkpoints_timed]
       c.num_requested AS checkpoints_requested, -- counter {checkpoint} [17 pg_stat_checkpointer.num_requested]: Because of WAL, or asked for.
       -- or b.checkpoints_req AS checkpoints_requested, [pg_stat_bgwriter.checkpoints_req]
       c.num_done AS checkpoints_done, -- counter {checkpoint} [18 pg_stat_checkpointer.num_done]: That were done.
       c.restartpoints_timed AS restartpoints_timed, -- counter {restartpoint} [17 pg_stat_checkpointer.restartpoints_timed]: On a standby, because of the time.
       c.restartpoints_req AS restartpoints_requested, -- counter {restartpoint} [17 pg_stat_checkpointer.restartpoints_req]: On a standby, asked for.
       c.restartpoints_done AS restartpoints_done, -- counter {restartpoint} [17 pg_stat_checkpointer.restartpoints_done]: On a standby, done.
       c.write_time AS checkpoint_write_time_ms, -- counter num ms [17 pg_stat_checkpointer.write_time]: Writing during checkpoints.
       -- or b.checkpoint_write_time AS checkpoint_write_time_ms, [pg_stat_bgwriter.checkpoint_write_time]
       c.sync_time AS checkpoint_sync_time_ms, -- counter num ms [17 pg_stat_checkpointer.sync_time]: Syncing during checkpoints.
       -- or b.checkpoint_sync_time AS checkpoint_sync_time_ms, [pg_stat_bgwriter.checkpoint_sync_time]
       c.buffers_written AS buffers_checkpoint, -- counter {buffer} [17 pg_stat_checkpointer.buffers_written]: Written by checkpoints.
       -- or b.buffers_checkpoint AS buffers_checkpoint, [pg_stat_bgwriter.buffers_checkpoint]
       c.slru_written AS slru_written, -- counter {buffer} [18 pg_stat_checkpointer.slru_written]: SLRU pages written by checkpoints.
       b.maxwritten_clean AS maxwritten_clean, -- counter {round}: Rounds that the background writer ended because of its limit.
       b.buffers_backend AS buffers_backend, -- counter {buffer} [14 pg_stat_bgwriter.buffers_backend]: Written by backends; from 17 on in io.
       b.buffers_backend_fsync AS buffers_backend_fsync, -- counter {sync} [14 pg_stat_bgwriter.buffers_backend_fsync]: Syncs by backends; from 17 on in io.
       b.buffers_alloc AS buffers_alloc, -- counter {buffer}: Buffers allocated.
       c.stats_reset AS checkpointer_stats_reset, -- info time [17 pg_stat_checkpointer.stats_reset]: When those of the checkpointer last began at 0.
       b.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_stat_bgwriter AS b
 CROSS JOIN pg_catalog.pg_stat_checkpointer AS c -- if [pg_stat_checkpointer]
