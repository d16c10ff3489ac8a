/* pganalytics-server:key_revoke */
update pganalytics.api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1
