/* pganalytics-server:collector_revoke */
update pganalytics.collectors set revoked_at = coalesce(revoked_at, now()) where id = $1
