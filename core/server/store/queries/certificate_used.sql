/* pganalytics-server:certificate_used */
update pganalytics.certificates set first_used_at = now() where thumbprint = $1
