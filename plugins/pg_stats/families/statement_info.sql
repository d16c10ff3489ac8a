-- The list of statements itself: how often it was full.
-- Scope: server
-- Rows: one
-- Every: 60s
-- Extension: pg_stat_statements
-- Needs: pg_stat_statements_info
-- Grants: CREATE EXTENSION pg_stat_statements in a database that is read, USAGE on its schema to the role, and shared_preload_libraries = 'pg_stat_statements'.
-- Cost: constant.
SELECT i.dealloc AS evictions, -- counter {eviction}: How often the least used statements were thrown out.
       i.stats_reset AS stats_reset -- epoch: When all of them were last reset.
  FROM "public".pg_stat_statements_info AS i
