/* pganalytics-server:certificate_find */
select first_used_at is not null as used, superseded_at is not null as superseded, late, refused_at is not null as refused
from pganalytics.certificates where collector_id = $1 and thumbprint = $2
