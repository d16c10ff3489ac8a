/* pganalytics-server:config_status_set */
-- No row comes back when the collector only said again what is known.
insert into pganalytics.config_status as known (collector_id, version, state, reason)
values ($1, $2, $3, $4)
on conflict (collector_id) do update
set version = excluded.version, state = excluded.state, reason = excluded.reason, at = now()
where (known.version, known.state, known.reason) is distinct from (excluded.version, excluded.state, excluded.reason)
returning 1
