/* pganalytics-server:key_used */
-- To the minute: several servers may see the key at once.
update pganalytics.api_keys set last_used_at = now()
where key_sha256 = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
