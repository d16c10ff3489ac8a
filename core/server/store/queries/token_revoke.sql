/* pganalytics-server:token_revoke */
update pganalytics.registration_tokens set revoked_at = coalesce(revoked_at, now()) where id = $1
