/* pganalytics-server:collectors_revoked */
select id, (extract(epoch from statement_timestamp()) * 1000000)::bigint as now_us
from pganalytics.collectors
where revoked_at >= $1::timestamptz
