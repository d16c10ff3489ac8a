/* pganalytics-server:forward_move */
update pganalytics.forwards
set xid = $2::xid8, id = $3::bigint, seen_at = case when seen_at < now() - interval '1 hour' then now() else seen_at end
where name = $1
