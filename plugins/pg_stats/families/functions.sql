-- Functions that track_functions counts.
-- Scope: database
-- Rows: changed
-- Every: 60s
-- Grants: none
-- Cost: one lookup per function; nothing while track_functions is off.
SELECT f.funcid::int8 AS oid, -- key int: Of the function.
       f.schemaname AS schema, -- label: Schema of the function.
       f.funcname AS name, -- label: Name of the function.
       pg_catalog.pg_get_function_identity_arguments(f.funcid) AS arguments, -- label: Its arguments.
       f.calls AS calls, -- counter {call}: Calls.
       f.total_time AS total_time_ms, -- counter num ms: In it and what it called.
       f.self_time AS self_time_ms -- counter num ms: In it alone.
  FROM pg_catalog.pg_stat_user_functions AS f
