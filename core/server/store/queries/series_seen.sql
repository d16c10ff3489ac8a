/* pganalytics-server:series_seen */
update pganalytics.series set seen_at = now() where id = any($1::bigint[]) returning id
