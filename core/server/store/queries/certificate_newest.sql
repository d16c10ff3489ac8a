/* pganalytics-server:certificate_newest */
select coalesce(max(not_before) >= to_timestamp($2::float8), false) as newer_known
from pganalytics.certificates where collector_id = $1
