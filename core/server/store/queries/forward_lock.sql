/* pganalytics-server:forward_lock */
-- Held by the session: one of all servers forwards to a destination at a time, and whoever dies lets go of it.
select pg_catalog.pg_try_advisory_lock(84431513, pg_catalog.hashtext($1))
