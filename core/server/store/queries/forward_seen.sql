/* pganalytics-server:forward_seen */
update pganalytics.forwards set seen_at = now() where name = $1 and seen_at < now() - interval '1 hour'
