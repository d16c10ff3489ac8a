-- Sequences that have used up half of their values or more, and up to ten that may not be read: 100 at most.
-- Scope: database
-- Rows: changed
-- Every: 10m
-- Grants: GRANT pg_read_all_data to the role, or SELECT on the sequences: the values of others are hidden.
-- Cost: reads each sequence that may be read. What ACCESS EXCLUSIVE holds or awaits is not opened; lock_timeout is the backstop.
SELECT q.oid::int8 AS oid, -- key int: Of the sequence.
       q.schema AS schema, -- label: Schema of the sequence.
       q.name AS name, -- label: Name of the sequence.
       q.readable AS is_readable, -- info bool: The role may read it.
       q.last_value AS last_value, -- gauge 1: The last value that was handed out, or reserved for a session.
       q.max_value AS max_value, -- info int: Where it ends; of a descending one, its least value.
       q.cycles AS cycles, -- info bool: It begins again at its end.
       q.used_percent AS used_percent -- gauge num %: How much of its range is gone.
  FROM (
    SELECT v.*, CASE WHEN v.max_value <> v.start_value THEN round(100.0 * (v.last_value::numeric - v.start_value) / (v.max_value::numeric - v.start_value), 2) END AS used_percent,
           row_number() OVER (PARTITION BY v.readable ORDER BY v.oid) AS number
      FROM (
        SELECT c.oid, n.nspname AS schema, c.relname AS name, s.seqcycle AS cycles,
               s.seqstart AS start_value, CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END AS max_value,
               pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable,
               CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AND c.relpersistence <> 't'
                     AND c.oid NOT IN (SELECT l.relation FROM pg_catalog.pg_locks AS l WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock')
                    THEN pg_catalog.pg_sequence_last_value(c.oid) END AS last_value
          FROM pg_catalog.pg_sequence AS s
          JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname !~ '^pg_'
      ) AS v
  ) AS q
 WHERE q.used_percent >= 50 OR NOT q.readable AND q.number <= 10
 ORDER BY q.used_percent DESC NULLS LAST
 LIMIT 100
