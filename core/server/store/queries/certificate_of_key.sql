/* pganalytics-server:certificate_of_key */
select pem, thumbprint, first_used_at is not null as used, superseded_at is not null as superseded
from pganalytics.certificates
where collector_id = $1 and public_key_sha256 = $2
order by issued_at desc limit 1
