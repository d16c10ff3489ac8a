/* pganalytics-server:token_use */
update pganalytics.registration_tokens set uses_left = uses_left - 1, last_used_at = now()
where token_sha256 = $1 and uses_left > 0 and expires_at > now() and revoked_at is null
returning hostname_glob, id
