-- Caches of transaction status, subtransactions, multixacts and the like.
-- Scope: server
-- Rows: changed
-- Every: 60s
-- Grants: none
-- Cost: one row per cache.
SELECT s.name AS name, -- key: Of the cache; other names from 17 on.
       s.blks_zeroed AS zeroed, -- counter {block}: Blocks made.
       s.blks_hit AS hits, -- counter {block}: Blocks found in the cache.
       s.blks_read AS reads, -- counter {block}: Blocks read.
       s.blks_written AS writes, -- counter {block}: Blocks written.
       s.blks_exists AS exists, -- counter {block}: Blocks looked for on disk.
       s.flushes AS flushes, -- counter {flush}: Flushes.
       s.truncates AS truncates, -- counter {truncation}: Truncations.
       s.stats_reset AS stats_reset -- epoch: When these counters last began at 0.
  FROM pg_catalog.pg_stat_slru AS s
