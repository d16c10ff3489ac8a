/* pganalytics-server:certificate_trim */
-- What was asked for and never used: a collector that loses answers needs the last one only.
delete from pganalytics.certificates
where collector_id = $1 and first_used_at is null and thumbprint not in (
  select thumbprint from pganalytics.certificates
  where collector_id = $1 and first_used_at is null order by issued_at desc limit 4
)
