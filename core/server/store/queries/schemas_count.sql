/* pganalytics-server:schemas_count */
select count(*) from pganalytics.schemas where plugin = $1
