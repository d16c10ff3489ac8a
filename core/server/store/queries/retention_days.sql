/* pganalytics-server:retention_days */
select (document ->> 'retention_days')::integer from pganalytics.configs where collector_id = $1::uuid order by version desc limit 1
