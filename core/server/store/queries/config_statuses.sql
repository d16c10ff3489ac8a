/* pganalytics-server:config_statuses */
-- $1 null: of all collectors.
select collector_id, version, state, reason, (extract(epoch from at) * 1000000)::bigint as at_us
from pganalytics.config_status
where $1::uuid is null or collector_id = $1::uuid
