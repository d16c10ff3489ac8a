/* pganalytics-server:key_role */
select role from pganalytics.api_keys where key_sha256 = $1 and revoked_at is null
