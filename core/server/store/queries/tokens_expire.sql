/* pganalytics-server:tokens_expire */
delete from pganalytics.registration_tokens where coalesce(revoked_at, expires_at) < now() - interval '30 days'
