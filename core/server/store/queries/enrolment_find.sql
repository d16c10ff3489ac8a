/* pganalytics-server:enrolment_find */
select e.collector_id,
       e.token_sha256 = $2 and e.public_key_sha256 = $3 and e.enrolled_at > now() - interval '10 minutes' and c.revoked_at is null as same
from pganalytics.enrolments e join pganalytics.collectors c on c.id = e.collector_id
where e.enrollment_id = $1
