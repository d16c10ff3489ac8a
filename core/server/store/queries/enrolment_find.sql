/* pganalytics-server:enrolment_find */
select collector_id, token_sha256 = $2 and public_key_sha256 = $3 and enrolled_at > now() - interval '10 minutes' as same
from pganalytics.enrolments where enrollment_id = $1
