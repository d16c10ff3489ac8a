/* pganalytics-server:certificate_supersede */
update pganalytics.certificates set superseded_at = now()
where collector_id = $1 and thumbprint <> $2 and superseded_at is null
