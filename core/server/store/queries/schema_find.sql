/* pganalytics-server:schema_find */
select sha256, schema from pganalytics.schemas
where plugin = $1 and ($2 = '' or sha256 = $2)
order by received_at desc, sha256 limit 1
