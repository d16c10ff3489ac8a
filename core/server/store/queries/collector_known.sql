/* pganalytics-server:collector_known */
select from pganalytics.collectors where id::text = $1 or name = $1 limit 1
