/* pganalytics-server:certificate_refused */
update pganalytics.certificates set refused_at = now() where thumbprint = $1
